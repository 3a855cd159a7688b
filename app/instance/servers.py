"""The servers of one instance: the named ones, or embedded ones that are kept alive and stopped last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from app.core.config import Settings
from app.core.errors import ConfigError
from app.instance.databases import prepare_database
from app.instance.postgres import EmbeddedPostgres, start_postgres
from app.instance.redis import EmbeddedRedis, start_redis
from app.instance.secrets import Secrets, secret_file, write_private

DATABASE_NAME = "tenantry"
ANNEX = "annex"


@dataclass
class _Embedded:
    server: EmbeddedPostgres | EmbeddedRedis
    start_again: Callable[[int], EmbeddedPostgres | EmbeddedRedis]


class Servers:
    """What an instance stores its data in; `owner_url`, `redis_url` and, for the demo, `annex_url` say where."""

    def __init__(self) -> None:
        self.owner_url = ""
        self.redis_url = ""
        self.annex_url = ""
        self.annex_has_moved = False
        self._embedded: list[_Embedded] = []

    def start(self, settings: Settings, secrets: Secrets, var_dir: Path) -> None:
        """Start those that no setting names.

        Errors: ConfigError when one does not come up, or in production without a database.
        """
        self.owner_url = _reveal(settings.database_url) or self._embed_database(settings, secrets, var_dir / "postgres")
        self.redis_url = _reveal(settings.redis_url) or self._embed_redis(var_dir / "redis")
        if _wants_annex(settings, var_dir):
            self.annex_url = self._embed_annex(settings, var_dir)

    def revive(self) -> None:
        """Start the embedded ones that have died again, on the ports that everybody knows."""
        for one in self._embedded:
            if one.server.process.poll() is not None:
                one.server = one.start_again(one.server.port)

    def stop(self) -> None:
        """Stop the embedded ones, the last one first."""
        while self._embedded:
            self._embedded.pop().server.stop()

    def _embed_database(self, settings: Settings, secrets: Secrets, folder: Path) -> str:
        if settings.is_production:
            raise ConfigError("Configuration refused: production needs DATABASE_URL, the owner's login, to migrate.")
        server = start_postgres(folder)
        self._embedded.append(_Embedded(server, lambda port: start_postgres(folder, port=port)))
        return prepare_database(
            server.superuser_url,
            name=DATABASE_NAME,
            prefix=settings.role_prefix,
            owner_password=secrets.owner_password,
        )

    def _embed_annex(self, settings: Settings, var_dir: Path) -> str:
        folder, secret = var_dir / ANNEX, secret_file(var_dir / "secrets" / "annex_password")
        server = self._start_where_it_was(folder)
        self._embedded.append(_Embedded(server, lambda port: start_postgres(folder, port=port)))
        return prepare_database(
            server.superuser_url, name=DATABASE_NAME, prefix=settings.role_prefix, owner_password=secret
        )

    def _start_where_it_was(self, folder: Path) -> EmbeddedPostgres:
        """Start a server on the port of its last start, because its address is registered, or on another."""
        note = folder / "port"
        known = int(note.read_text()) if note.exists() else 0
        try:
            server = start_postgres(folder, port=known)
        except ConfigError:
            if not known:
                raise
            server = start_postgres(folder)
        self.annex_has_moved = server.port != known != 0
        write_private(note, str(server.port))
        return server

    def _embed_redis(self, folder: Path) -> str:
        server = start_redis(folder)
        self._embedded.append(_Embedded(server, lambda port: start_redis(folder, port=port)))
        return server.url


def _wants_annex(settings: Settings, var_dir: Path) -> bool:
    """Tell whether a second database server belongs to this instance; once tenants may lie on it, it does."""
    if settings.is_production or settings.database_url is not None:
        return False
    return (var_dir / ANNEX).exists() or (settings.demo and settings.demo_server)


def _reveal(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
