"""A catch-up round: the rows whose keys were noted are read again at the source and made so at the target.

What a row was in between does not matter, so rounds may be repeated, and their order is no one's concern.
"""

from __future__ import annotations

from psycopg import sql
from psycopg.errors import IntegrityError

from app.homes.structure import HomeStructure
from app.moves.changes import Keys, take_keys
from app.moves.ends import End, stream
from app.moves.verification import refuse_differing_rows

_STAGED = "staged_{}"


def follow(source: End, target: End, structure: HomeStructure) -> Keys:
    """Run one round; return the keys that were followed, each found equal on both sides.

    The keys leave the log only after the target has committed: killed in between, the round is run again.
    """
    with source.transaction(snapshot=True):
        keys = take_keys(source)
        if keys:
            with target.transaction():
                _apply(source, target, structure, keys)
                refuse_differing_rows(source, target, structure, keys)
    return keys


def _apply(source: End, target: End, structure: HomeStructure, keys: Keys) -> None:
    try:
        with target.connection.transaction():
            _stage(source, target, structure, keys)
            _upsert(target, structure, keys)
            _delete(target, structure, keys, only_absent=True)
    except IntegrityError:
        # Two rows have exchanged a unique value, or a new one has taken a deleted one's: no order of single writes
        # does. So the rows go out with all that refer to them, and come back together.
        wider = _with_dependants(target, structure, keys)
        _stage(source, target, structure, wider)
        _delete(target, structure, wider, only_absent=False)
        _upsert(target, structure, wider)


def _stage(source: End, target: End, structure: HomeStructure, keys: Keys) -> None:
    for table in structure.tables:
        if table in keys:
            _stage_table(source, target, structure, table, keys)


def _stage_table(source: End, target: End, structure: HomeStructure, table: str, keys: Keys) -> None:
    columns = sql.SQL(", ".join(structure.columns(table)))
    staged = _staged(table)
    target.connection.execute(sql.SQL("drop table if exists pg_temp.{}").format(staged))
    create = sql.SQL("create temporary table {} on commit drop as select {} from {} with no data")
    target.connection.execute(create.format(staged, columns, target.table(table)))
    rows = sql.SQL("copy (select {} from {} where tenant_id = {} and id = any({})) to stdout (format binary)")
    reading = rows.format(columns, source.table(table), sql.Literal(source.tenant_id), sql.Literal([*keys[table]]))
    writing = sql.SQL("copy pg_temp.{} ({}) from stdin (format binary)").format(staged, columns)
    stream(source, reading, target, writing)


def _upsert(target: End, structure: HomeStructure, keys: Keys) -> None:
    for table in structure.tables:
        if table in keys:
            names = structure.columns(table)
            assignments = ", ".join(f"{name} = excluded.{name}" for name in names if name not in ("tenant_id", "id"))
            statement = sql.SQL(
                "insert into {} ({columns}) select {columns} from pg_temp.{} on conflict (tenant_id, id) do {action}"
            )
            action = sql.SQL(f"update set {assignments}" if assignments else "nothing")
            columns = sql.SQL(", ".join(names))
            target.connection.execute(
                statement.format(target.table(table), _staged(table), columns=columns, action=action)
            )


def _delete(target: End, structure: HomeStructure, keys: Keys, *, only_absent: bool) -> None:
    """Delete rows, children first; `only_absent` spares those that the source still has."""
    for table in reversed(structure.tables):
        if table in keys:
            statement = sql.SQL("delete from {} gone where tenant_id = %s and id = any(%s)").format(target.table(table))
            if only_absent:
                there = sql.SQL(" and not exists (select from pg_temp.{} there where there.id = gone.id)")
                statement += there.format(_staged(table))
            target.connection.execute(statement, (target.tenant_id, [*keys[table]]))


def _with_dependants(target: End, structure: HomeStructure, keys: Keys) -> Keys:
    """Return the keys with those of every row at the target that refers to one of them, however indirectly."""
    wider: Keys = {table: set(row_ids) for table, row_ids in keys.items()}
    grown = True
    while grown:
        before = sum(map(len, wider.values()))
        for one in structure.references:
            if wider.get(one.target):
                query = sql.SQL("select id from {} where tenant_id = %s and {} = any(%s)")
                named = query.format(target.table(one.table), sql.SQL(one.column))
                found = target.connection.execute(named, (target.tenant_id, [*wider[one.target]]))
                wider.setdefault(one.table, set()).update(row[0] for row in found)
        grown = sum(map(len, wider.values())) > before
    return wider


def _staged(table: str) -> sql.Composable:
    return sql.SQL(_STAGED.format(table.strip('"')))
