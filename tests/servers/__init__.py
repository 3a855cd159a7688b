"""The suite's own PostgreSQL and Redis: one pair a run, one database and one Redis number a test process."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.core.config import Settings, load_settings
from app.core.database.migrate import migrate, migrate_database
from app.core.database.server_urls import ServerUrls
from app.core.tenancy.scopes import DatabaseAddress, Login
from app.instance.databases import prepare_database
from app.instance.postgres import EmbeddedPostgres, start_postgres
from app.instance.redis import EmbeddedRedis, start_redis
from app.instance.secrets import load_or_create

ANNEX = "annex"
PASSWORD = "correct-horse-battery-staple"
SECRET_KEY = "a-root-secret-that-only-the-tests-know-0123456789"


@dataclass
class Servers:
    """The running pair, as the process that started it sees it."""

    folder: Path
    postgres: EmbeddedPostgres
    other_postgres: EmbeddedPostgres
    redis: EmbeddedRedis

    def stop(self) -> None:
        self.redis.stop()
        self.other_postgres.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def make_open_folder() -> Path:
    """Make a temporary folder that PostgreSQL's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="tenantry-tests-"))
    folder.chmod(0o755)
    return folder


def start_servers() -> Servers:
    """Start both in a temporary folder that PostgreSQL's own user may enter."""
    folder = make_open_folder()
    main, other = (start_postgres(folder / name, fast=True) for name in ("postgres", "other"))
    return Servers(folder, main, other, start_redis(folder / "redis"))


def worker_number(name: str) -> int:
    """Return the number of an xdist worker; 0 without xdist."""
    return int(name.removeprefix("gw")) if name.startswith("gw") else 0


def prepare_instance(superuser_url: str, redis_url: str, worker: str) -> Settings:
    """Give one test process a migrated database and the settings to use it."""
    name = f"tenantry_{worker}"
    owner_url = prepare_database(superuser_url, name=name, prefix="tenantry", owner_password=PASSWORD)
    host = owner_url.rpartition("@")[2]
    # The repository's var/ is never the tests'.
    var_dir = Path(tempfile.mkdtemp(prefix="tenantry-var-"))
    load_or_create(var_dir)
    settings = load_settings(
        SECRET_KEY=SECRET_KEY,
        VAR_DIR=var_dir,
        DATABASE_URL=owner_url,
        DATABASE_PLATFORM_URL=f"postgresql://tenantry_platform:{PASSWORD}@{host}",
        DATABASE_TENANT_URL=f"postgresql://tenantry_tenant:{PASSWORD}@{host}",
        REDIS_URL=f"{redis_url.rsplit('/', 1)[0]}/{worker_number(worker)}",
        LOG_LEVEL="WARNING",
    )
    migrate(settings)
    return settings


def prepare_annex(settings: Settings, superuser_url: str, worker: str) -> None:
    """Give one test process a second database server, prepared as registering one prepares it."""
    owner_url = prepare_database(superuser_url, name=f"annex_{worker}", prefix="tenantry", owner_password=PASSWORD)
    host, urls = owner_url.rpartition("@")[2], ServerUrls(settings)
    for login in Login:
        urls.write(ANNEX, login, f"postgresql://tenantry_{login.value}:{PASSWORD}@{host}")
    migrate_database(settings, DatabaseAddress(ANNEX))


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment in which a child process uses the same instance."""
    values = {
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": settings.database_url,
        "DATABASE_PLATFORM_URL": settings.database_platform_url,
        "DATABASE_TENANT_URL": settings.database_tenant_url,
        "REDIS_URL": settings.redis_url,
    }
    secrets = {name: value.get_secret_value() for name, value in values.items() if value is not None}
    return {**os.environ, **secrets, "VAR_DIR": str(settings.var_dir), "LOG_LEVEL": "WARNING"}
