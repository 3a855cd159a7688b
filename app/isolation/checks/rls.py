"""Wall 2: raw SQL of the tenant login, under a genuine context of canary A, against the rows of canary B."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from psycopg import sql

from app.core.ids import new_id
from app.isolation.canaries import Pair
from app.isolation.grounds import (
    NOT_ALLOWED,
    NOT_SUPPORTED,
    Connection,
    count_of,
    enter,
    expect_nothing,
    expect_refusal,
    list_home_tables,
)
from app.isolation.outcomes import Breach, Check, NotTried

WALL = "2 row-level security"
_READS = (
    "select count(*) from {table} where tenant_id = {b}",
    "select count(*) from {table} where tenant_id is distinct from {a}",
)
_CHANGES = (
    "update {table} set tenant_id = tenant_id where tenant_id = {b}",
    "delete from {table} where tenant_id = {b}",
)
# Row-level security judges a new row before PostgreSQL asks whether its columns are filled.
_ADDITIONS = (
    "insert into {table} (tenant_id, id) values ({b}, {id})",
    "insert into {table} (tenant_id, id) values ({b}, {id}) on conflict do nothing",
    "insert into {table} (tenant_id, id) values ({b}, {id}) on conflict (tenant_id, id) do update set id = excluded.id",
)
_SHARED = """
select schemaname, tablename from pg_policies where schemaname in ('control', 'tenancy')
    and current_user = any(roles) and qual like '%current_tenant%' order by 1, 2
"""
Attack = Callable[[Connection, Pair, str], None]


def read_rows(pair: Pair) -> str:
    """Look for B's rows in every home table."""
    own = _count_own_rows(pair)
    tried = _attack_tables(pair, _read)
    return f"{tried} tables read; the other canary has rows in {own} of them, and none was found."


def change_rows(pair: Pair) -> str:
    """Try to change and delete B's rows in every home table."""
    tried = _attack_tables(pair, _change)
    return f"Update and delete in {tried} tables touched no row of the other canary."


def add_rows(pair: Pair) -> str:
    """Try to write rows in B's name into every home table, and to hand A's own rows over."""
    tried = _attack_tables(pair, _add)
    return f"Insert, upsert and handing over were refused in {tried} tables."


def copy_rows(pair: Pair) -> str:
    """Try to copy B's rows out of every home table, and rows into it."""
    tried = _attack_tables(pair, _copy)
    return f"COPY of {tried} tables showed own rows only, and none could be copied in."


def read_shared_tables(pair: Pair) -> str:
    """Look for B's rows in what tenants share: the outbox, and their part of the control plane."""
    with enter(pair, pair.a) as connection:
        tables = connection.execute(_SHARED).fetchall()
        for schema, table in tables:
            key = "id" if (schema, table) == ("control", "tenants") else "tenant_id"
            statement = sql.SQL("select count(*) from {} where {} = {}").format(
                sql.Identifier(schema, table), sql.Identifier(key), sql.Literal(pair.b.tenant_id)
            )
            expect_nothing(connection, statement, what=f"{schema}.{table}")
    return f"{len(tables)} shared tables showed nothing of the other canary."


CHECKS = (
    Check("rls.read", WALL, "Rows of another tenant cannot be read", read_rows),
    Check("rls.change", WALL, "Rows of another tenant cannot be changed or deleted", change_rows),
    Check("rls.add", WALL, "Nothing can be written in another tenant’s name", add_rows),
    Check("rls.copy", WALL, "COPY shows own rows only", copy_rows),
    Check("rls.shared", WALL, "Shared tables hide other tenants’ rows", read_shared_tables),
)


def _attack_tables(pair: Pair, attack: Attack) -> int:
    with enter(pair, pair.a) as connection:
        tables = list_home_tables(connection, pair.schema)
        for table in tables:
            attack(connection, pair, table)
    return len(tables)


def _count_own_rows(pair: Pair) -> int:
    """Tell in how many tables B has rows: where it has none, nothing could have been found."""
    with enter(pair, pair.b) as connection:
        tables = list_home_tables(connection, pair.schema)
        counts = [count_of(connection, _render(pair, "select count(*) from {table}", table)) for table in tables]
    found = sum(count > 0 for count in counts)
    if not found:
        raise NotTried("The other canary has no rows to be found.")
    return found


def _read(connection: Connection, pair: Pair, table: str) -> None:
    for statement in _READS:
        expect_nothing(connection, _render(pair, statement, table), what=table)


def _change(connection: Connection, pair: Pair, table: str) -> None:
    for statement in _CHANGES:
        expect_nothing(connection, _render(pair, statement, table), what=table)


def _add(connection: Connection, pair: Pair, table: str) -> None:
    for statement in _ADDITIONS:
        expect_refusal(connection, _render(pair, statement, table), (NOT_ALLOWED,), what=table)
    if count_of(connection, _render(pair, "select count(*) from {table}", table)):
        hand_over = _render(pair, "update {table} set tenant_id = {b}", table)
        expect_refusal(connection, hand_over, (NOT_ALLOWED,), what=table)


def _copy(connection: Connection, pair: Pair, table: str) -> None:
    into = _render(pair, "copy {table} from stdin", table)
    expect_refusal(connection, into, (NOT_ALLOWED, NOT_SUPPORTED), what=table)
    foreign = str(pair.b.tenant_id).encode()
    try:
        with connection.cursor() as cursor, cursor.copy(_render(pair, "copy {table} to stdout", table)) as rows:
            if any(foreign in bytes(row) for row in rows):
                raise Breach(f"{table}: COPY showed rows of the other canary.")
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotTried(f"{table}: the tenant login may not read it.") from error


def _render(pair: Pair, statement: str, table: str) -> sql.Composed:
    return sql.SQL(statement).format(
        table=sql.Identifier(pair.schema, table),
        a=sql.Literal(pair.a.tenant_id),
        b=sql.Literal(pair.b.tenant_id),
        id=sql.Literal(new_id()),
    )
