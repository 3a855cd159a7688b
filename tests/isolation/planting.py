"""Rows for any table, made from what the catalog says of it, so that a table added later is planted too."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.errors import CheckViolation
from psycopg.rows import dict_row

Row = dict[str, Any]

COLUMNS = """
select a.attname, format_type(a.atttypid, null), a.attnotnull from pg_attribute a
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = ''
order by a.attnum
"""
NAMES = "(select array_agg(a.attname order by k.n) from unnest({}) with ordinality k (num, n) join pg_attribute a on \
a.attrelid = {} and a.attnum = k.num)::text[]"
REFERENCES = f"""
select c.conname, {NAMES.format("c.conkey", "c.conrelid")}, tn.nspname || '.' || t.relname,
    {NAMES.format("c.confkey", "c.confrelid")}
from pg_constraint c join pg_class t on t.oid = c.confrelid join pg_namespace tn on tn.oid = t.relnamespace
where c.conrelid = %s::regclass and c.contype = 'f' order by 1
"""
KEY = f"""
select {NAMES.format("c.conkey", "c.conrelid")} from pg_constraint c
where c.conrelid = %s::regclass and c.contype = 'p'
"""
CHECKS = f"""
select c.conname, {NAMES.format("c.conkey", "c.conrelid")}, pg_get_constraintdef(c.oid) from pg_constraint c
where c.conrelid = %s::regclass and c.contype = 'c'
"""
VALUES = {
    "bigint": "1",
    "boolean": "true",
    "bytea": "'\\x00'",
    "date": "current_date",
    "inet": "'192.0.2.1'",
    "integer": "1",
    "interval": "'1 hour'",
    "jsonb": "'{}'",
    "numeric": "1",
    "smallint": "1",
    "text[]": "'{}'",
    "timestamp with time zone": "now()",
    "uuid": "gen_random_uuid()",
}
# How a number in a check can be met: as a value, or as a length.
FROM_NUMBER = {
    "bigint": "{}",
    "bytea": "decode(repeat('00', {}), 'hex')",
    "integer": "{}",
    "text": "repeat('x', {})",
}


@dataclass(frozen=True)
class Reference:
    """One foreign key: its columns, and the columns of another table that they name."""

    name: str
    columns: list[str]
    target: str
    target_columns: list[str]


@dataclass
class Planter:
    """Plants rows of one tenant over a connection that may write them."""

    connection: psycopg.Connection[Any]
    tenant_id: UUID
    number: int = 0
    rows: dict[str, Row] = field(default_factory=dict)

    def row(self, table: str) -> Row:
        """Return this tenant's row of a table; it is planted, after those that it refers to, if there is none."""
        if table not in self.rows:
            self.rows[table] = self._find(table) or self.plant(table)
        return self.rows[table]

    def plant(self, table: str) -> Row:
        """Insert one more row."""
        values = {name: f"'{self.tenant_id}'" for name in ("tenant_id",) if name in columns_of(self.connection, table)}
        for reference in references_of(self.connection, table):
            for name, found in zip(reference.columns, reference.target_columns, strict=True):
                if name not in values:
                    values[name] = sql.Literal(self.row(reference.target)[found]).as_string(self.connection)
        checked = {name for _name, names, _text in checks_of(self.connection, table) for name in names}
        for name, (kind, required) in columns_of(self.connection, table).items():
            if name not in values and (required or name not in checked):
                values[name] = self._value(table, name, kind)
        return self._insert(table, values)

    def _find(self, table: str) -> Row | None:
        column = tenant_column(self.connection, table)
        statement = f"select * from {table}" + (f" where {column} = '{self.tenant_id}'" if column else "")
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement).fetchone()

    def _value(self, table: str, name: str, kind: str) -> str:
        self.number += 1
        if kind in ("text", "character varying"):
            return f"'planted {self.number} for {self.tenant_id}'"
        assert kind in VALUES, f"planting knows no value of type {kind}: {table}.{name}"
        return VALUES[kind]

    def _insert(self, table: str, values: dict[str, str]) -> Row:
        result, tried = self._try(table, values), set[str]()
        while isinstance(result, str):
            assert result not in tried, f"planting finds no row of {table} that its check {result} lets in"
            tried.add(result)
            result = self._satisfy(table, values, result)
        return result

    def _satisfy(self, table: str, values: dict[str, str], constraint: str) -> Row | str:
        """Try what the check itself names, until the table objects to something else, or to nothing."""
        columns = columns_of(self.connection, table)
        _name, names, text = next(check for check in checks_of(self.connection, table) if check[0] == constraint)
        result: Row | str = constraint
        for chosen in itertools.product(*(candidates(columns[name][0], text) for name in names)):
            values.update(zip(names, chosen, strict=True))
            result = self._try(table, values)
            if result != constraint:
                break
        return result

    def _try(self, table: str, values: dict[str, str]) -> Row | str:
        """Insert and keep the row; or return the check that refused it."""
        statement = f"insert into {table} ({', '.join(values)}) values ({', '.join(values.values())}) returning *"
        try:
            with self.connection.transaction(), self.connection.cursor(row_factory=dict_row) as cursor:
                row = cursor.execute(statement).fetchone()
                assert row is not None
                return row
        except CheckViolation as error:
            return str(error.diag.constraint_name)


def candidates(kind: str, check: str) -> list[str]:
    """Return values of a type that a check's own text suggests."""
    numbers = [FROM_NUMBER[kind].format(n) for n in re.findall(r"\b\d+\b", check)] if kind in FROM_NUMBER else []
    words = re.findall(r"'(?:[^']|'')*'", check) if kind == "text" else []
    return [*words, *numbers, VALUES.get(kind, "'x'"), "null"]


def columns_of(connection: psycopg.Connection[Any], table: str) -> dict[str, tuple[str, bool]]:
    """Return each column that can be written, with its type and whether it is required."""
    return {name: (kind, required) for name, kind, required in connection.execute(COLUMNS, (table,)).fetchall()}


def references_of(connection: psycopg.Connection[Any], table: str) -> list[Reference]:
    return [Reference(*row) for row in connection.execute(REFERENCES, (table,)).fetchall()]


def checks_of(connection: psycopg.Connection[Any], table: str) -> list[tuple[str, list[str], str]]:
    return [(name, names or [], text) for name, names, text in connection.execute(CHECKS, (table,)).fetchall()]


def key_of(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """Return the columns of the primary key."""
    row = connection.execute(KEY, (table,)).fetchone()
    assert row is not None, f"{table} has no primary key"
    names: list[str] = row[0]
    return names


def tenant_column(connection: psycopg.Connection[Any], table: str) -> str | None:
    """Return the column that says whose a row is; a tenant's row of the registry is the tenant's by its id."""
    if table == "control.tenants":
        return "id"
    return "tenant_id" if "tenant_id" in columns_of(connection, table) else None
