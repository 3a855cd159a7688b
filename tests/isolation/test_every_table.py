"""Every table of a home, as the catalog lists them, under every verb of the runtime role: no foreign row moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from app.core.config import Settings
from app.core.tenancy.scopes import TenantRoute
from tests.isolation.toy import as_superuser, make_context

COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped and a.attnotnull and a.attgenerated = ''
"""
CHECKS = "select conname from pg_constraint where conrelid = %s::regclass and contype = 'c'"
VALUES = {
    "uuid": "gen_random_uuid()",
    "text": "'x'",
    "integer": "1",
    "bigint": "1",
    "boolean": "true",
    "bytea": "'\\x00'",
    "jsonb": "'{}'",
    "timestamp with time zone": "now()",
}
VERBS = {
    "select": "select * from {table}",
    "select for update": "select * from {table} for update",
    "update": "update {table} set tenant_id = tenant_id",
    "delete": "delete from {table}",
}


@pytest.fixture
def home(acme: TenantRoute, instance: Settings, superuser_url: str) -> Iterator[psycopg.Connection[Any]]:
    """The superuser's connection, in a transaction that never commits; it can plant a row and then be the tenant."""
    with as_superuser(instance, superuser_url) as connection:
        yield connection
        connection.rollback()


def tables_of(home: psycopg.Connection[Any]) -> list[str]:
    """Return every table of the pool that holds tenants' rows."""
    statement = (
        "select 'pool.' || tablename from pg_tables where schemaname = 'pool' and tablename <> 'alembic_version'"
    )
    return [name for (name,) in home.execute(statement).fetchall()]


def plant(home: psycopg.Connection[Any], table: str, route: TenantRoute) -> None:
    """Leave one row of a tenant in the table, whatever the table's columns, keys and checks."""
    home.execute("set local session_replication_role = replica")
    home.execute(sql.SQL("truncate {} cascade").format(identifier(table)))
    for (name,) in home.execute(CHECKS, (table,)).fetchall():
        home.execute(sql.SQL("alter table {} drop constraint {}").format(identifier(table), sql.Identifier(name)))
    columns = home.execute(COLUMNS, (table,)).fetchall()
    values = [f"'{route.tenant_id}'" if name == "tenant_id" else VALUES[kind] for name, kind in columns]
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    home.execute(
        sql.SQL("insert into {} ({}) values ({})").format(identifier(table), names, sql.SQL(", ".join(values)))
    )
    home.execute("set local session_replication_role = origin")


def become(home: psycopg.Connection[Any], route: TenantRoute) -> None:
    """Work as the tenant login with a tenant's context until the transaction ends."""
    home.execute("set local role tenantry_tenant")
    home.execute("select set_config('tenantry.context', %s, true)", (make_context(route),))


def identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def rows_touched(home: psycopg.Connection[Any], statement: str, table: str) -> int:
    """Return how many rows a statement reaches; none where the verb is not even granted."""
    try:
        with home.transaction():
            return home.execute(sql.SQL(statement).format(table=identifier(table))).rowcount
    except InsufficientPrivilege:
        return 0


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_reaches_a_foreign_row(
    home: psycopg.Connection[Any], acme: TenantRoute, globex: TenantRoute, verb: str
) -> None:
    for table in tables_of(home):
        with home.transaction(force_rollback=True):
            plant(home, table, globex)
            become(home, acme)
            assert rows_touched(home, VERBS[verb], table) == 0, table


def test_each_planted_row_is_there_for_its_tenant(home: psycopg.Connection[Any], globex: TenantRoute) -> None:
    for table in tables_of(home):
        with home.transaction(force_rollback=True):
            plant(home, table, globex)
            become(home, globex)
            assert rows_touched(home, VERBS["select"], table) == 1, table


def test_no_table_takes_a_foreign_row(home: psycopg.Connection[Any], acme: TenantRoute, globex: TenantRoute) -> None:
    for table in tables_of(home):
        with home.transaction(force_rollback=True), pytest.raises(InsufficientPrivilege, match="row-level security"):
            plant_as(home, table, acme, globex)


def plant_as(home: psycopg.Connection[Any], table: str, actor: TenantRoute, victim: TenantRoute) -> None:
    """Copy a row of the victim's while working for the actor."""
    plant(home, table, victim)
    home.execute(sql.SQL("create temporary table copy on commit drop as table {}").format(identifier(table)))
    home.execute("grant select on copy to tenantry_tenant")
    become(home, actor)
    home.execute(sql.SQL("insert into {} select * from copy").format(identifier(table)))
