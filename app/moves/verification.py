"""The proof that two homes hold the same rows: counts, hashes that no order changes, keys that lead somewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from psycopg import sql

from app.core.errors import StateError
from app.homes.structure import HomeStructure
from app.moves.changes import Keys
from app.moves.ends import End
from app.moves.extracts import Extract, take_everything

_HASHED_TYPES = (
    *("bigint", "boolean", "bytea", "character varying", "date", "double precision", "inet", "integer", "interval"),
    *("jsonb", "numeric", "real", "smallint", "text", "time", "uuid"),
)


@dataclass(frozen=True)
class Fingerprint:
    """One table's rows, as a count and the sum of each row's hash."""

    row_count: int
    hash_sum: Decimal


Fingerprints = dict[str, Fingerprint]


def fingerprint(end: End, structure: HomeStructure, extracts: Sequence[Extract] | None = None) -> Fingerprints:
    """Return the fingerprint of every table, inside the end's open transaction; of extracts, what arrives as it is."""
    taken = take_everything(structure).extracts if extracts is None else extracts
    return {one.table: _fingerprint_table(end, structure, one) for one in taken}


def refuse_difference(source: Fingerprints, target: Fingerprints) -> None:
    """Compare two homes.

    Errors: StateError that names the first table in which they differ.
    """
    for table, wanted in source.items():
        found = target[table]
        if found.row_count != wanted.row_count:
            raise StateError(f"Table {table} has {wanted.row_count} rows at the source and {found.row_count} copied.")
        if found != wanted:
            raise StateError(f"Table {table} has the same number of rows on both sides, but not the same rows.")


def refuse_differing_rows(source: End, target: End, structure: HomeStructure, keys: Keys) -> None:
    """Compare the rows of some keys, inside both ends' open transactions; a row absent from both is the same.

    Errors: StateError that names the first row in which they differ.
    """
    for table, row_ids in keys.items():
        wanted, found = (_hash_rows(end, structure, table, row_ids) for end in (source, target))
        for row_id in row_ids:
            if wanted.get(row_id) != found.get(row_id):
                raise StateError(f"Row {row_id} of table {table} differs between source and target.")


def refuse_orphans(end: End, structure: HomeStructure) -> None:
    """Check that every reference inside a home leads to a row of it, inside the end's open transaction.

    PostgreSQL's own constraint may have been validated while row-level security hid the rows.

    Errors: StateError that names the first row that refers to none.
    """
    for one in structure.references:
        orphan = sql.SQL(
            "select child.id from {child} child where child.{column} is not null and not exists "
            "(select from {parent} parent where parent.tenant_id = child.tenant_id and parent.id = child.{column})"
            " limit 1"
        ).format(child=end.table(one.table), column=sql.SQL(one.column), parent=end.table(one.target))
        row = end.connection.execute(orphan).fetchone()
        if row is not None:
            raise StateError(f"Row {row[0]} of table {one.table} refers to a row of {one.target} that does not exist.")


def _fingerprint_table(end: End, structure: HomeStructure, extract: Extract) -> Fingerprint:
    query = sql.SQL("select count(*), coalesce(sum(hash_record_extended(one, 0)), 0) from ({rows}) one")
    rows = _select(end, structure, extract.table, extract.compared)
    [row] = end.connection.execute(query.format(rows=rows)).fetchall()
    return Fingerprint(*row)


def _hash_rows(end: End, structure: HomeStructure, table: str, row_ids: Collection[UUID]) -> dict[UUID, int]:
    query = sql.SQL("select one.id, hash_record_extended(one, 0) from ({rows}) one where one.id = any(%s)")
    rows = _select(end, structure, table, structure.columns(table))
    return dict(end.connection.execute(query.format(rows=rows), (list(row_ids),)).fetchall())


def _select(end: End, structure: HomeStructure, table: str, names: Collection[str]) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.SQL(_hashable(structure, table, name)) for name in names)
    return sql.SQL("select {} from {} where tenant_id = {}").format(
        columns, end.table(table), sql.Literal(end.tenant_id)
    )


def _hashable(structure: HomeStructure, table: str, column: str) -> str:
    # PostgreSQL hashes most types as they are, several times faster than their text; the others have no hash.
    definition = structure.by_label[f"column {table}.{column}"].definition
    return column if definition.startswith(_HASHED_TYPES) else f"{column}::text as {column}"
