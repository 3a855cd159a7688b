"""A third PostgreSQL, on which nothing is prepared, for tests that register it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import psycopg
import pytest

from app.core.database.server_urls import ServerUrls
from app.core.database.session import engines
from app.instance.databases import prepare_database
from app.instance.postgres import start_postgres
from app.web.hosts import Portal
from tests.servers import PASSWORD, make_open_folder

DATABASES = "select datname from pg_database where datname not in ('postgres', 'template0', 'template1')"
ROLES = "select rolname from pg_roles where rolname ~ '^tenantry_'"


@pytest.fixture(scope="session")
def bare_superuser_url() -> Iterator[str]:
    """The superuser of a cluster that only these tests use."""
    folder = make_open_folder()
    server = start_postgres(folder / "bare", fast=True)
    yield server.superuser_url
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bare_url(app: Portal, bare_superuser_url: str) -> Iterator[str]:
    """The owner's URL of an empty database on a cluster without any other role of ours."""
    yield prepare_database(bare_superuser_url, name="homes", prefix="tenantry", owner_password=PASSWORD)
    engines().dispose()
    for name in ("bare", "other", "bare~next"):
        ServerUrls(app.extensions["tenantry_settings"]).remove(name)
    with psycopg.connect(bare_superuser_url, autocommit=True) as connection:
        for (database,) in connection.execute(DATABASES).fetchall():
            connection.execute(f"update pg_database set datistemplate = false where datname = '{database}'")
            connection.execute(f"drop database {database} with (force)")
        for (role,) in connection.execute(ROLES).fetchall():
            connection.execute(f"drop role {role}")
