"""What is looked at before a home is copied, by a move or a clone: versions, locks, connections, room.

Nothing has been written by then; each refusal says what stands in the way and what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.core.database.home_versions import read_version
from app.core.database.owner import owner_connection, seeing_sessions
from app.core.database.session import engines
from app.core.database.transactions import transaction
from app.core.database.versions import MIGRATION_LOCK, POOL_SCHEMA, newest_version, serves
from app.core.errors import StateError
from app.core.tenancy.scopes import DatabaseAddress, Placement, Tier, platform_scope
from app.homes.structure import HomeStructure
from app.moves.changes import LOCK_SECONDS, LOCK_TRIES
from app.moves.ends import End
from app.servers.inspection import measure_size
from app.servers.queries import find_server_by_name

# A copy holds one connection at each end, and opens one more to the control plane; a fence takes another.
CONNECTIONS = 4
SPARE_CONNECTIONS = 2
# Whoever has held a lock for longer than a move would wait for it is not waited for.
LONG_SECONDS = LOCK_SECONDS * LOCK_TRIES
# Where it goes into a pool, the rows lie there twice until the copy has been compared.
TIMES_IN_POOL = 2
LINE_POINTER_BYTES = 4
AGAIN = "then start again"

_EVERY_LOCK_OF_WRITERS = ("RowExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock")
_LOCK_OF_READERS = "AccessExclusiveLock"
_HOLDERS = """
select l.pid, case when l.locktype = 'advisory' and (l.classid::bigint << 32 | l.objid::bigint) <>
    hashtextextended(%(tenant)s, 0) then 'change' else 'use' end
from pg_locks l
where l.granted and l.pid <> pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database())
  and (l.locktype = 'advisory' and l.objsubid = 1 and (l.classid::bigint << 32 | l.objid::bigint) = any(%(keys)s)
    or l.locktype = 'relation' and l.mode = any(%(modes)s) and l.relation in (
        select oid from pg_class where relnamespace = to_regnamespace(%(schema)s)))
"""
_OLDEST = """
select pid, usename, xact_start at time zone 'UTC' from pg_stat_activity
where pid = any(%s) and xact_start < clock_timestamp() - make_interval(secs => %s) order by xact_start limit 1
"""
_FREE = """
select least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - current_setting('reserved_connections')::int - (select sum(numbackends) from pg_stat_database),
    (select case when d.datconnlimit >= 0 then d.datconnlimit - a.numbackends end
        from pg_database d join pg_stat_database a on a.datid = d.oid where d.datname = current_database())
)::int
"""
_OWN_SIZE = "select coalesce(sum(pg_total_relation_size(one)), 0)::bigint from unnest(%s::regclass[]) one"
# A row's share of its table's indexes is taken to be its share of the table.
_SHARE = """
select ceil(coalesce(sum(pg_column_size(one) + {line_pointer}), 0)
    * pg_total_relation_size({name}) / greatest(pg_table_size({name}), 1))::bigint
from {table} one where tenant_id = {tenant}
"""
_EMPTY_DATABASE = "select pg_database_size('template0')"


@dataclass(frozen=True)
class Room:
    """How much a server's databases may hold, where somebody has said, and how much they do."""

    limit_bytes: int | None
    used_bytes: int

    @property
    def free_bytes(self) -> int | None:
        return None if self.limit_bytes is None else max(self.limit_bytes - self.used_bytes, 0)


def refuse_unready(source: End, target: Placement, *, stops_writers: bool) -> None:
    """Refuse a copy that the two ends are not ready for: versions, locks and connections; no table is touched.

    A move stops the writers of both ends for moments, so it looks for what they hold; a clone only reads its source.

    Errors: StateError that says what stands in the way; UnavailableError when the target's server does not answer.
    """
    _refuse_spent_budget()
    _refuse_unserved(source.connection, source.placement)
    _refuse_held(source.connection, source.tenant_id, source.placement, stops_writers=stops_writers)
    _refuse_crowded(source.connection, source.placement.address)
    with owner_connection(DatabaseAddress(target.server)) as there:
        _refuse_old_server(there, target.server)
        if target.tier is Tier.POOL:
            _refuse_unserved(there, target)
        _refuse_held(there, source.tenant_id, target, stops_writers=stops_writers)
        _refuse_crowded(there, DatabaseAddress(target.server))
    # What is asked of the source next waits no longer for a lock either; asked again, its holder is named.
    source.connection.execute(f"set lock_timeout to '{LONG_SECONDS}s'")


def refuse_full(source: End, target: Placement, structure: HomeStructure) -> str:
    """Refuse a copy for which the target's server has no room; return what was found, for people to read.

    Errors: StateError that says what is needed and what is free; UnavailableError when the server does not answer.
    """
    needed_bytes = _measure_rows(source, structure)
    with owner_connection(DatabaseAddress(target.server)) as there:
        if target.tier is Tier.POOL:
            needed_bytes *= TIMES_IN_POOL
        if target.tier is Tier.DATABASE:
            needed_bytes += there.execute(_EMPTY_DATABASE).fetchall()[0][0]
        room = Room(_find_limit(target.server), measure_size(there))
        free_count = _count_free(there)
    if room.free_bytes is not None and needed_bytes > room.free_bytes:
        raise StateError(
            f"The copy needs about {write_size(needed_bytes)} on {target.server}, where {write_size(room.free_bytes)} "
            f"of {write_size(room.limit_bytes or 0)} are free; make room there, raise its storage limit or choose "
            f"another server, {AGAIN}."
        )
    return _say_what_was_found(target.server, needed_bytes, room, free_count)


def write_size(byte_count: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{byte_count / 2**20:,.1f} MiB"


def _refuse_spent_budget() -> None:
    budget = engines().budget
    if not budget.has_room(CONNECTIONS):
        raise StateError(
            f"A copy needs {CONNECTIONS} database connections more, and this worker holds {budget.open_count} of the "
            f"{budget.limit} that it may; wait for other work to end or raise DATABASE_CONNECTIONS, {AGAIN}."
        )


def _refuse_unserved(connection: psycopg.Connection[Any], placement: Placement) -> None:
    version, place = read_version(connection, placement.schema), f"{placement.address}/{placement.schema}"
    if version is None or not serves(version.home):
        found = "unknown" if version is None else version.home
        raise StateError(f"{place} is at version {found}, which this release does not serve; migrate it, {AGAIN}.")


def _refuse_old_server(connection: psycopg.Connection[Any], server: str) -> None:
    version = read_version(connection, POOL_SCHEMA)
    if version is None or version.tenancy < newest_version("tenancy"):
        raise StateError(f"The server {server} has not been migrated to this release; migrate its pool, {AGAIN}.")


def _refuse_held(
    connection: psycopg.Connection[Any],
    tenant_id: UUID,
    placement: Placement,
    *,
    stops_writers: bool,
) -> None:
    holders = _list_holders(connection, tenant_id, placement, stops_writers=stops_writers)
    changing = [pid for pid, what in holders if what == "change"]
    if changing:
        raise StateError(
            f"Session {changing[0]} in database {connection.info.dbname} is migrating or mending {placement.address}/"
            f"{placement.schema}; wait for its end, {AGAIN}."
        )
    oldest = _find_long_transaction(connection, [pid for pid, _what in holders])
    if oldest is not None:
        pid, login, since = oldest
        raise StateError(
            f"Session {pid} of {login} in database {connection.info.dbname} has kept a transaction open since "
            f"{since:%Y-%m-%d %H:%M:%S} UTC, and this would wait for it; let it end, or end it with "
            f"pg_terminate_backend({pid}), {AGAIN}."
        )


def _find_long_transaction(connection: psycopg.Connection[Any], pids: list[int]) -> tuple[int, str, datetime] | None:
    if not pids:
        return None
    with seeing_sessions(connection):
        return connection.execute(_OLDEST, (pids, LONG_SECONDS)).fetchone()


def _list_holders(
    connection: psycopg.Connection[Any],
    tenant_id: UUID,
    placement: Placement,
    *,
    stops_writers: bool,
) -> list[tuple[int, str]]:
    names = [placement.schema, *([str(tenant_id)] if stops_writers else [])]
    keys = connection.execute("select hashtextextended(name, 0) from unnest(%s::text[]) name", (names,)).fetchall()
    given = {
        "tenant": str(tenant_id),
        "keys": [MIGRATION_LOCK, *(key for (key,) in keys)],
        "schema": placement.schema,
        "modes": [_LOCK_OF_READERS, *(_EVERY_LOCK_OF_WRITERS if stops_writers else ())],
    }
    return connection.execute(_HOLDERS, given).fetchall()


def _refuse_crowded(connection: psycopg.Connection[Any], address: DatabaseAddress) -> None:
    count = _count_free(connection)
    if count < SPARE_CONNECTIONS:
        raise StateError(
            f"The database {address} takes {max(count, 0)} connections more, and a copy needs {SPARE_CONNECTIONS}; "
            f"wait until others are closed or raise its limit, {AGAIN}."
        )


def _count_free(connection: psycopg.Connection[Any]) -> int:
    [row] = connection.execute(_FREE).fetchall()
    return int(row[0])


def _find_limit(server: str) -> int | None:
    with platform_scope("a server's room"), transaction():
        found = find_server_by_name(server)
        return found.storage_bytes if found else None


def _measure_rows(source: End, structure: HomeStructure) -> int:
    names = [f"{source.placement.schema}.{table}" for table in structure.tables]
    if source.placement.tier is not Tier.POOL:
        return int(source.connection.execute(_OWN_SIZE, (names,)).fetchall()[0][0])
    with source.transaction():
        return sum(_measure_share(source, table) for table in structure.tables)


def _measure_share(source: End, table: str) -> int:
    query = sql.SQL(_SHARE).format(
        line_pointer=sql.Literal(LINE_POINTER_BYTES),
        name=sql.Literal(f"{source.placement.schema}.{table}"),
        table=source.table(table),
        tenant=sql.Literal(source.tenant_id),
    )
    return int(source.connection.execute(query).fetchall()[0][0])


def _say_what_was_found(server: str, needed_bytes: int, room: Room, free_count: int) -> str:
    needs = f"It needs about {write_size(needed_bytes)} on {server}"
    if room.free_bytes is None or room.limit_bytes is None:
        return f"{needs}; room is not checked, because no limit is set. {free_count} connections are free there."
    free = f"{write_size(room.free_bytes)} of {write_size(room.limit_bytes)} are free"
    return f"{needs}; {free}. {free_count} connections are free there."
