"""What a tenant has beside its home in the same database: its jobs, and the markers of its operations' steps."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.moves.ends import End, stream

TABLES = ("outbox", "operation_markers")
# A job that was handed out or running starts anew where it is now; its old ticket finds no job of that state.
_HAND_BACK = """
update tenancy.outbox set state = 'pending', lease_until = null
where tenant_id = %s and state in ('queued', 'running')
"""


def carry(source: End, target: End) -> None:
    """Copy them to the target's database, in place of what may be left there; both ends are fenced."""
    with source.transaction(), target.transaction():
        forget(target.connection, target.tenant_id)
        for table in TABLES:
            _copy(source, target, table)
        target.connection.execute(_HAND_BACK, (target.tenant_id,))


def forget(connection: psycopg.Connection[Any], tenant_id: UUID) -> None:
    """Delete them in a database; the owner sees them without a context."""
    for table in TABLES:
        statement = sql.SQL("delete from tenancy.{} where tenant_id = %s").format(sql.Identifier(table))
        connection.execute(statement, (tenant_id,))


def _copy(source: End, target: End, table: str) -> None:
    # The columns by name: the two databases may have got them in another order.
    named = source.connection.execute(sql.SQL("select * from tenancy.{} limit 0").format(sql.Identifier(table)))
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in named.description or ())
    names = {"table": sql.Identifier(table), "columns": columns, "tenant": sql.Literal(source.tenant_id)}
    names["carried"] = sql.Identifier(f"carried_{table}")
    create = "create temporary table {carried} on commit drop as select {columns} from tenancy.{table} with no data"
    target.connection.execute(sql.SQL(create).format(**names))
    reading = "copy (select {columns} from tenancy.{table} where tenant_id = {tenant}) to stdout (format binary)"
    writing = "copy pg_temp.{carried} ({columns}) from stdin (format binary)"
    stream(source, sql.SQL(reading).format(**names), target, sql.SQL(writing).format(**names))
    insert = "insert into tenancy.{table} ({columns}) select {columns} from pg_temp.{carried}"
    target.connection.execute(sql.SQL(insert).format(**names))
