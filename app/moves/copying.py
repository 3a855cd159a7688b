"""The bulk copy: every row of a home, from one snapshot, into an empty one, verified before it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psycopg import sql

from app.core.database.home_versions import RECORD
from app.core.errors import StateError
from app.core.runtime import current_settings
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import Tier
from app.homes.structure import HomeStructure, PartKind
from app.moves.ends import End, stream
from app.moves.verification import Fingerprints, fingerprint, refuse_difference, refuse_orphans

Note = Callable[[str], None]
KEY = "PRIMARY KEY (tenant_id, id)"
_STAMP_HOME = "insert into alembic_version values (%s)"


@dataclass(frozen=True)
class Copied:
    """What a bulk copy carried."""

    row_count: int
    byte_count: int


def copy_home(source: End, target: End, structure: HomeStructure, note: Note) -> Copied:
    """Fill the target with what the source holds at one moment, in one transaction of the target.

    Killed in the middle it leaves nothing behind; run again it begins anew.

    Errors: StateError when a row refers to none, or the copy is not equal to the source.
    """
    into_pool = target.placement.tier is Tier.POOL
    with source.transaction(snapshot=True):
        refuse_orphans(source, structure)
        wanted = fingerprint(source, structure)
        with target.transaction() if into_pool else target.bare_transaction():
            fill = _fill_pool if into_pool else _fill_own
            byte_count = fill(source, target, structure, wanted, note)
    return Copied(sum(one.row_count for one in wanted.values()), byte_count)


def _fill_own(source: End, target: End, structure: HomeStructure, wanted: Fingerprints, note: Note) -> int:
    # COPY is refused on a table whose row-level security applies, so the home gets its guards after its rows.
    schema = target.placement.schema
    _begin_schema(target, schema)
    _execute(target, structure.render_tables())
    byte_count = _stream_tables(source, target, structure, schema, note)
    note("verifying the copy")
    refuse_difference(wanted, fingerprint(target, structure))
    note("building keys, indexes and policies")
    _execute(target, structure.render_guards())
    target.connection.execute(_STAMP_HOME, (structure.version,))
    _execute(target, RECORD.format(schema=schema, version=structure.version))
    return byte_count


def _fill_pool(source: End, target: End, structure: HomeStructure, wanted: Fingerprints, note: Note) -> int:
    # A pool's tables are always guarded, so the rows come through bare ones in a schema that nobody else may enter.
    staging = f"m_{target.tenant_id.hex}"
    for table in reversed(structure.tables):
        delete = sql.SQL("delete from {} where tenant_id = %s").format(target.table(table))
        target.connection.execute(delete, (target.tenant_id,))
    _begin_schema(target, staging, open_to_tenant=False)
    _execute(target, structure.render_tables().replace("create table ", "create unlogged table "))
    byte_count = _stream_tables(source, target, structure, staging, note)
    for table in structure.tables:
        columns = sql.SQL(", ".join(structure.columns(table)))
        insert = sql.SQL("insert into {} ({columns}) select {columns} from {}.{}")
        names = (target.table(table), sql.Identifier(staging), sql.SQL(table))
        target.connection.execute(insert.format(*names, columns=columns))
    note("verifying the copy")
    refuse_difference(wanted, fingerprint(target, structure))
    target.connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(staging)))
    return byte_count


def _begin_schema(target: End, schema: str, *, open_to_tenant: bool = True) -> None:
    name = sql.Identifier(schema)
    target.connection.execute(sql.SQL("drop schema if exists {} cascade").format(name))
    target.connection.execute(sql.SQL("create schema {}").format(name))
    if open_to_tenant:
        tenant = sql.Identifier(Roles(current_settings().role_prefix).tenant)
        target.connection.execute(sql.SQL("grant usage on schema {} to {}").format(name, tenant))
    target.connection.execute(sql.SQL("set local search_path to {}").format(name))


def _execute(target: End, script: str) -> None:
    target.connection.execute(script.encode())


def _stream_tables(source: End, target: End, structure: HomeStructure, schema: str, note: Note) -> int:
    byte_count = 0
    for number, table in enumerate(structure.tables, start=1):
        note(f"copying table {number} of {len(structure.tables)}: {table}, {byte_count // 2**20} MB so far")
        byte_count += _stream(source, target, structure, schema, table)
    return byte_count


def _stream(source: End, target: End, structure: HomeStructure, schema: str, table: str) -> int:
    columns = sql.SQL(", ".join(structure.columns(table)))
    rows = sql.SQL("copy (select {} from {} where tenant_id = {}) to stdout (format binary)")
    reading = rows.format(columns, source.table(table), sql.Literal(source.tenant_id))
    bare = sql.SQL("copy {}.{} ({}) from stdin (format binary)")
    writing = bare.format(sql.Identifier(schema), sql.SQL(table), columns)
    return stream(source, reading, target, writing)


def refuse_unfit(structure: HomeStructure) -> None:
    """Check that every table of a home can be copied and followed by key.

    Errors: StateError that names the first that cannot.
    """
    keyed = {part.table for part in structure.parts if part.kind is PartKind.CONSTRAINT and part.definition == KEY}
    for table in structure.tables:
        if table not in keyed:
            raise StateError(f"Table {table} has no primary key of tenant_id and id; its rows cannot be followed.")
