"""Making an empty home: a script of statements for a schema, a copy of the template for a database."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from app.core.database.home_versions import RECORD
from app.core.database.versions import newest_version
from app.core.runtime import current_settings
from app.core.tenancy.ddl import Roles
from app.homes.structure import HomeStructure

_UNRECORD = "delete from tenancy.home_versions where schema_name = %s"


def newest_home() -> str:
    """Return what an empty home of this release is made of: the versions of the two trees that it rests on."""
    return f"{newest_version('tenancy')}_{newest_version('tenant')}"


def make_schema(connection: psycopg.Connection[Any], schema: str, template: HomeStructure) -> None:
    """Make an empty home in a schema, which nobody but the owner enters yet."""
    # Every part comes from the catalog, quoted by PostgreSQL where it needs it.
    connection.execute(f"""
        create schema {schema};
        set local search_path to {schema};
        {template.render_tables()}
        {template.render_guards()}
        insert into alembic_version values ('{template.version}');
        {RECORD.format(schema=schema, version=template.version)}
    """)  # noqa: S608  # Parts as the catalog wrote them.


def open_schema(connection: psycopg.Connection[Any], schema: str) -> None:
    """Let the tenant login enter a schema."""
    tenant = sql.Identifier(Roles(current_settings().role_prefix).tenant)
    connection.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(schema), tenant))


def drop_schema(connection: psycopg.Connection[Any], schema: str) -> None:
    """Drop a home's schema, if it is there."""
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
    connection.execute(_UNRECORD, (schema,))


def make_database(connection: psycopg.Connection[Any], name: str, template: str) -> None:
    """Copy a server's template to a database to which nobody can connect yet; one that is there stays as it is."""
    # Through the log: copying files makes the whole server write a checkpoint first, and one more at the end.
    statement = sql.SQL("create database {} template {} strategy wal_log allow_connections false")
    # One that was killed has copied it; a copy is there whole or not at all.
    with suppress(psycopg.errors.DuplicateDatabase):
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def open_database(connection: psycopg.Connection[Any], name: str) -> None:
    """Let the runtime logins connect to a database, and nobody else; who may is not part of what was copied."""
    roles, database = Roles(current_settings().role_prefix), sql.Identifier(name)
    connection.execute(sql.SQL("revoke all on database {} from public").format(database))
    for role in (roles.tenant, roles.platform):
        grant = sql.SQL("grant connect on database {} to {}")
        connection.execute(grant.format(database, sql.Identifier(role)))
    connection.execute(sql.SQL("alter database {} with allow_connections true").format(database))


def has_database(connection: psycopg.Connection[Any], name: str) -> bool:
    """Tell whether a server has a database."""
    return connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None
