"""The version of each home: written beside it in its own database, and copied to the control plane for routing."""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg

from app.core.tenancy.scopes import DatabaseAddress, Tier

# In the transaction that makes or migrates the home, so that the two are never of different minds.
RECORD = """
insert into tenancy.home_versions (schema_name, version) values ('{schema}', '{version}')
on conflict (schema_name) do update set version = excluded.version, migrated_at = clock_timestamp();
"""
_COPY = """
insert into control.home_versions
    (server, database_name, schema_name, tier, version, tenancy_version, migrated_at)
values (%s, %s, %s, %s, %s, %s, clock_timestamp())
on conflict (server, database_name, schema_name) do update
    set version = excluded.version, tenancy_version = excluded.tenancy_version, migrated_at = excluded.migrated_at
    where (home_versions.version, home_versions.tenancy_version) <> (excluded.version, excluded.tenancy_version)
"""
_FORGET = "delete from control.home_versions where (server, database_name, schema_name) = (%s, %s, %s)"
_VERSIONS = "select v.version, a.version_num from tenancy.home_versions v, tenancy.alembic_version a "


class HomeKey(NamedTuple):
    """Where one home lies; a pool is one home of many tenants."""

    server: str
    database: str
    schema: str

    @property
    def address(self) -> DatabaseAddress:
        return DatabaseAddress(self.server, self.database)

    def __str__(self) -> str:
        return f"{self.address}/{self.schema}"


class HomeVersion(NamedTuple):
    """Which versions of the two trees that a home rests on are there."""

    home: str
    tenancy: str


def read_version(connection: psycopg.Connection[Any], schema: str) -> HomeVersion | None:
    """Return the versions of one home, asked in its own database; None where there is no such home."""
    row = connection.execute(f"{_VERSIONS}where v.schema_name = %s", (schema,)).fetchone()
    return HomeVersion(*row) if row else None


def list_versions(connection: psycopg.Connection[Any]) -> dict[str, HomeVersion]:
    """Return the versions of every home in a database, by schema."""
    rows = connection.execute("select v.schema_name, " + _VERSIONS.removeprefix("select ")).fetchall()
    return {schema: HomeVersion(home, tenancy) for schema, home, tenancy in rows}


def copy_version(control: psycopg.Connection[Any], home: HomeKey, tier: Tier, version: HomeVersion) -> None:
    """Tell routing which version a home has; the owner's connection is one to the main database."""
    control.execute(_COPY, (*home, tier, *version))


def forget_version(control: psycopg.Connection[Any], home: HomeKey) -> None:
    """Take a home that is gone out of routing's copy."""
    control.execute(_FORGET, home)
