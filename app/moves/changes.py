"""The dirty-key log: which rows of one tenant's home were written since it was switched on, by key alone."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from psycopg import sql
from psycopg.errors import LockNotAvailable

from app.core.errors import StateError
from app.homes.structure import HomeStructure
from app.moves.ends import End

LOCK_SECONDS = 2
LOCK_TRIES = 10
# For each verb, which of the row's two states names the tenant.
_VERBS = {"insert": "new", "update": "old", "delete": "old"}

_FORGET = "delete from tenancy.changed_keys where tenant_id = %s and schema_name = %s"

Keys = dict[str, set[UUID]]


def switch_on(end: End, structure: HomeStructure) -> None:
    """Note every key that the tenant's writers change from now on; what was noted before is forgotten.

    Creating a trigger waits for the table's running writers, so all that is not noted has committed when this returns.

    Errors: StateError when a writer holds a table for too long.
    """
    switch_off(end, structure)
    for table in structure.tables:
        for verb, row in _VERBS.items():
            _with_patience(
                end,
                table,
                sql.SQL(
                    "create trigger {name} after {verb} on {table} for each row when ({row}.tenant_id = {tenant}) "
                    "execute function tenancy.note_changed_key()"
                ).format(
                    name=_name(end, verb),
                    verb=sql.SQL(verb),
                    table=end.table(table),
                    row=sql.SQL(row),
                    tenant=sql.Literal(end.tenant_id),
                ),
            )


def switch_off(end: End, structure: HomeStructure) -> None:
    """Take the triggers away and forget what they noted."""
    for table in structure.tables:
        for verb in _VERBS:
            drop = sql.SQL("drop trigger if exists {} on {}").format(_name(end, verb), end.table(table))
            if _is_on(end, table, verb):
                _with_patience(end, table, drop)
    forget_keys(end)


def forget_keys(end: End) -> None:
    """Empty the log of a home."""
    end.connection.execute(_FORGET, (end.tenant_id, end.placement.schema))


def take_keys(end: End) -> Keys:
    """Take the keys noted so far out of the log, inside the end's open transaction: rolled back, they are back."""
    rows = end.connection.execute(_FORGET + " returning table_name, row_id", (end.tenant_id, end.placement.schema))
    keys: Keys = defaultdict(set)
    for table, row_id in rows:
        keys[table].add(row_id)
    return keys


def _is_on(end: End, table: str, verb: str) -> bool:
    name = f"changed_{end.tenant_id.hex}_{verb[0]}"
    found = end.connection.execute(
        "select 1 from pg_trigger where tgname = %s and tgrelid = %s::regclass",
        (name, f"{end.placement.schema}.{table}"),
    )
    return found.fetchone() is not None


def _with_patience(end: End, table: str, statement: sql.Composed) -> None:
    # Whoever waits for a lock makes the other writers of the table wait behind it, so each wait is short.
    for _try in range(LOCK_TRIES):
        try:
            with end.connection.transaction():
                end.connection.execute(f"set local lock_timeout to '{LOCK_SECONDS}s'")
                end.connection.execute(statement)
        except LockNotAvailable:
            continue
        return
    raise StateError(f"A transaction has held the table {table} for {LOCK_SECONDS * LOCK_TRIES} seconds.")


def _name(end: End, verb: str) -> sql.Identifier:
    return sql.Identifier(f"changed_{end.tenant_id.hex}_{verb[0]}")
