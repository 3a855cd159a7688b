"""The attacks on one table, as data: each names a row by values that are another tenant's, or nobody's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from app.core.ids import new_id
from tests.isolation.grounds import Ground, Place, home_of
from tests.isolation.planting import Reference, Row, key_of, references_of, tenant_column

IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Answer:
    """What PostgreSQL made of a statement; texts are without ids, so that two answers can be compared."""

    state: str
    text: str
    rows: int


@dataclass(frozen=True)
class Prey:
    """One table, with the row that is attacked and the attacker's own."""

    table: str
    tenant: str
    key: list[str]
    references: list[Reference]
    foreign: Row
    own: Row
    # Whether the attacker's own row lies in this table, and not in the same table of another home.
    has_own: bool

    @property
    def where(self) -> str:
        return " and ".join(f"{name} = %({name})s" for name in {self.tenant: 0} | dict.fromkeys(self.key))

    def insert(self, row: Row) -> str:
        names = [name for name, value in row.items() if value is not None]
        return f"insert into {self.table} ({', '.join(names)}) values ({', '.join(f'%({name})s' for name in names)})"

    def missing(self, row: Row) -> Row:
        """Return the row with a tenant and a key that nobody has."""
        return {**row, **{name: stranger(row[name]) for name in (self.tenant, *self.key)}}


Attack = Callable[[Prey], Iterator[tuple[str, Row, Row]]]


def stranger(value: Any) -> Any:
    """Return another value of the same type."""
    return new_id() if isinstance(value, UUID) else "missing"


def at_key(statement: str) -> Attack:
    """Name a row by its tenant and key."""

    def attack(prey: Prey) -> Iterator[tuple[str, Row, Row]]:
        text = statement.format(table=prey.table, tenant=prey.tenant, where=prey.where)
        yield text, prey.foreign, prey.missing(prey.foreign)

    return attack


def with_row(suffix: str) -> Attack:
    """Write a whole row of another tenant."""

    def attack(prey: Prey) -> Iterator[tuple[str, Row, Row]]:
        text = prey.insert(prey.foreign) + suffix.format(key=", ".join(prey.key), tenant=prey.tenant)
        yield text, plain(prey.foreign), plain(prey.missing(prey.foreign))

    return attack


def move(prey: Prey) -> Iterator[tuple[str, Row, Row]]:
    """Give an own row to another tenant."""
    update = f"update {prey.table} set {prey.tenant} = %(thief)s where {prey.tenant} = %(own)s"
    upsert = f"{prey.insert(prey.own)} on conflict ({', '.join(prey.key)}) do update set {prey.tenant} = %(thief)s"
    for statement in [update, *([upsert] if prey.has_own else [])]:
        values = {**plain(prey.own), "own": prey.own[prey.tenant]}
        yield statement, {**values, "thief": prey.foreign[prey.tenant]}, {**values, "thief": new_id()}


def refer(prey: Prey) -> Iterator[tuple[str, Row, Row]]:
    """Let an own row refer to another tenant's."""
    for reference in prey.references:
        for name in set(reference.columns) - {prey.tenant}:
            fresh = anew(prey)
            foreign, missing = prey.foreign[name], new_id()
            yield prey.insert(fresh), plain({**fresh, name: foreign}), plain({**fresh, name: missing})
            statement = f"update {prey.table} set {name} = %(id)s where {prey.tenant} = %(own)s"
            own = prey.own[prey.tenant]
            yield statement, {"id": foreign, "own": own}, {"id": missing, "own": own}


ATTACKS: dict[str, Attack] = {
    "select": at_key("select * from {table} where {where}"),
    "select for update": at_key("select * from {table} where {where} for update"),
    "count": at_key("select 1 from {table} where {where} having count(*) > 0"),
    "update": at_key("update {table} set {tenant} = {tenant} where {where}"),
    "delete": at_key("delete from {table} where {where}"),
    "insert": with_row(""),
    "upsert": with_row(" on conflict ({key}) do update set {tenant} = excluded.{tenant}"),
    "insert or nothing": with_row(" on conflict do nothing"),
    "row moved": move,
    "reference": refer,
}
# Without a condition, they show whose rows they reach; COPY has a test of its own.
SWEEPS = {
    "select": "select {tenant} from {table}",
    "select by statistics": "select {tenant} from {table} where pg_sleep(0) is not null",
    "update": "update {table} set {tenant} = {tenant} returning {tenant}",
    "delete": "delete from {table} returning {tenant}",
}


def anew(prey: Prey) -> Row:
    """Return a row like the attacker's own that no unique key objects to."""
    texts = {k: f"{v} again" for k, v in prey.own.items() if isinstance(v, str) and v.startswith("planted")}
    hashes = {k: os.urandom(len(v)) for k, v in prey.own.items() if isinstance(v, bytes)}
    return {**prey.own, **texts, **hashes, **{k: stranger(prey.own[k]) for k in prey.key if k != prey.tenant}}


def plain(row: Row) -> Row:
    """Return a row whose documents psycopg can bind."""
    return {name: psycopg.types.json.Jsonb(v) if isinstance(v, (dict, list)) else v for name, v in row.items()}


def prey_at(ground: Ground, place: Place, catalog: psycopg.Connection[Any], table: str) -> Prey:
    """Return what there is to attack in a table; the catalog is read over a connection that may read it."""
    tenant = tenant_column(catalog, table)
    assert tenant is not None, f"{table} does not say whose its rows are"
    foreign, own = (ground.row(route, place, table) for route in (ground.globex, ground.acme))
    has_own = place == home_of(ground.acme) or not table.startswith(f"{place.schema}.")
    return Prey(table, tenant, key_of(catalog, table), references_of(catalog, table), foreign, own, has_own)


def ask(connection: psycopg.Connection[Any], statement: str, values: Row | None = None) -> Answer:
    """Run one statement and take it back; say what came of it."""
    try:
        with connection.transaction(force_rollback=True):
            return Answer("", "", connection.execute(statement, values).rowcount)
    except psycopg.Error as error:
        return Answer(error.sqlstate or "", IDS.sub("<id>", str(error)), 0)


def harvest(connection: psycopg.Connection[Any], statement: str) -> tuple[str, list[tuple[Any, ...]]]:
    """Run one statement that answers with rows, and take it back."""
    try:
        with connection.transaction(force_rollback=True):
            return "", connection.execute(statement).fetchall()
    except psycopg.Error as error:
        return error.sqlstate or "", []


def copy_out(connection: psycopg.Connection[Any], statement: str) -> tuple[str, str]:
    """Run COPY TO; return the refusal or the text."""
    try:
        with connection.transaction(), connection.cursor().copy(statement) as copy:
            return "", b"".join(map(bytes, copy)).decode()
    except psycopg.Error as error:
        return error.sqlstate or "", ""


def copy_in(connection: psycopg.Connection[Any], statement: str, value: Any) -> str:
    """Run COPY FROM with one value; return the refusal."""
    try:
        with connection.transaction(force_rollback=True), connection.cursor().copy(statement) as copy:
            copy.write_row((value,))
    except psycopg.Error as error:
        return error.sqlstate or ""
    return ""
