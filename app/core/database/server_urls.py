"""Where a database server is: the connection URL of each login, kept in a file that only its user can read.

The main server's URLs are settings; every other server's are written here when it is registered.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy.engine import make_url

from app.core.config import Settings
from app.core.errors import ConfigError
from app.core.tenancy.scopes import MAIN_SERVER, DatabaseAddress, Login

FOLDER = "servers"
# What every connection is opened with; nothing is ever set session-wide later. Statements are never prepared by name:
# an injection could put its own under a name that the next tenant's request uses.
CONNECT_ARGUMENTS: Final[Mapping[str, Any]] = MappingProxyType(
    {"autocommit": True, "prepare_threshold": None, "connect_timeout": 5, "application_name": "tenantry"}
)
_PRIVATE = 0o600


def login_url(settings: Settings, login: Login) -> str:
    """Return the main server's connection URL of a login.

    Errors: ConfigError when it is not configured.
    """
    urls = {
        Login.OWNER: settings.database_url,
        Login.PLATFORM: settings.database_platform_url,
        Login.TENANT: settings.database_tenant_url,
    }
    url = urls[login]
    if url is None:
        raise ConfigError(f"This process was not given the {login} login.")
    return url.get_secret_value()


@dataclass(frozen=True)
class ServerUrls:
    """The URLs of every server that this process may connect to."""

    settings: Settings

    def get(self, login: Login, address: DatabaseAddress) -> str:
        """Return the URL with which a login reaches a database.

        Errors: ConfigError when this process was not given that login of that server.
        """
        is_main = address.server == MAIN_SERVER
        given = login_url(self.settings, login) if is_main else self._read(address.server, login)
        if not address.name:
            return given
        return make_url(given).set(database=address.name).render_as_string(hide_password=False)

    def write(self, server: str, login: Login, url: str) -> None:
        """Keep a login's URL; a reader sees the old one or the new one, never a part.

        Effect: a file of mode 0600.
        """
        self._draft(server, login, url).replace(self._path(server, login))

    def replace(self, server: str, urls: dict[Login, str]) -> None:
        """Keep other URLs for several logins: all are written down before the first takes effect.

        Effect: files of mode 0600.
        """
        drafts = [(self._draft(server, login, url), self._path(server, login)) for login, url in urls.items()]
        for draft, path in drafts:
            draft.replace(path)

    def remove(self, server: str) -> None:
        """Forget a server's URLs.

        Effect: its files are gone.
        """
        shutil.rmtree(self._path(server, Login.OWNER).parent, ignore_errors=True)

    def stamp(self, login: Login, server: str) -> int:
        """Return a number that changes when a server's URL does; 0 for one that never does."""
        if server == MAIN_SERVER:
            return 0
        try:
            return self._path(server, login).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def has(self, server: str, login: Login) -> bool:
        """Tell whether a login's URL of a server other than the main one is known."""
        return self._path(server, login).exists()

    def _draft(self, server: str, login: Login, url: str) -> Path:
        path = self._path(server, login)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "w") as file:
            file.write(url)
            file.flush()
            os.fsync(file.fileno())
        return draft

    def _read(self, server: str, login: Login) -> str:
        try:
            return self._path(server, login).read_text()
        except FileNotFoundError:
            raise ConfigError(f"This process was not given the {login} login of server {server}.") from None

    def _path(self, server: str, login: Login) -> Path:
        return self.settings.var_dir / FOLDER / server / f"{login.value}.url"
