"""Ready homes: empty ones, made before anybody needs them, and claimed by being renamed.

The row in control.ready_homes is there before the home is made and stays locked until it is renamed or dropped. So of
two claims each gets another home, and whoever is killed leaves a home that is ready still, or a row without one, which
the next claim forgets. Until it is claimed nobody but the owner enters a home, so nobody's row can be in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from app.core.database.owner import owner_connection
from app.core.database.versions import TEMPLATE_SCHEMA, newest_version
from app.core.ids import new_id
from app.core.tenancy.scopes import DatabaseAddress, Tier
from app.homes.making import drop_schema, has_database, make_database, make_schema, newest_home
from app.homes.structure import read_structure
from app.homes.template_databases import ensure_template_database

_CLAIM = """
delete from control.ready_homes where id = (select id from control.ready_homes
    where server = %s and tier = %s and version = %s and ready_at is not null
    order by id limit 1 for update skip locked) returning id
"""
_TAKE = """
delete from control.ready_homes
where id = (select id from control.ready_homes where id = %s for update skip locked) returning id
"""
_LIST = "select id, tier, version, ready_at is not null from control.ready_homes where server = %s order by id"
_BEGIN = "insert into control.ready_homes (id, server, tier, version) values (%s, %s, %s, %s)"
_READY = "update control.ready_homes set ready_at = clock_timestamp() where id = %s"
_TARGETS = """
select name from control.servers s where state = 'ready' and is_reachable is not false
    and (ready_schema_count + ready_database_count > 0
        or exists (select from control.ready_homes r where r.server = s.name))
order by name
"""
_WANTED = """
select ready_schema_count * accepts_homes::int, ready_database_count * accepts_homes::int
from control.servers where name = %s and state = 'ready'
"""
# A table into which somebody has written a row has a page, whoever may see the row.
_IS_EMPTY = """
select coalesce(bool_and(pg_relation_size(c.oid) = 0), false) from pg_class c
where c.relnamespace = to_regnamespace(%s) and c.relkind = 'r' and c.relname <> 'alembic_version'
"""
_RENAME = "update tenancy.home_versions set schema_name = %s, migrated_at = clock_timestamp() where schema_name = %s"
_LOCK = "hashtextextended('ready homes on ' || %s, 0)"
Connection = psycopg.Connection[Any]


class ReadyHome(NamedTuple):
    """One row: a home that is ready, or was begun."""

    id: UUID
    tier: str
    version: str
    is_ready: bool

    @property
    def name(self) -> str:
        return ready_name(self.id)


def ready_name(home_id: UUID) -> str:
    """Return what the schema or database of a ready home is called."""
    return f"w_{home_id.hex}"


def is_ready_name(name: str) -> bool:
    """Tell whether a schema or database is a ready home's."""
    return name.startswith("w_")


def claim_schema(control: Connection, connection: Connection, server: str, schema: str) -> bool:
    """Rename a ready schema of the newest version, in the open transactions of both connections, if there is one.

    That of the server's commits first.
    """
    for name in _claims(control, server, Tier.SCHEMA):
        row = connection.execute(_IS_EMPTY, (name,)).fetchone()
        if row == (True,):
            names = (sql.Identifier(name), sql.Identifier(schema))
            connection.execute(sql.SQL("alter schema {} rename to {}").format(*names))
            connection.execute(_RENAME, (schema, name))
            return True
        drop_schema(connection, name)  # It is gone already, or somebody has written into it.
    return False


def claim_database(control: Connection, connection: Connection, server: str, database: str) -> bool:
    """Rename a ready database of the newest version, if there is one, before the transaction of control commits."""
    for name in _claims(control, server, Tier.DATABASE):
        if has_database(connection, name):
            names = (sql.Identifier(name), sql.Identifier(database))
            connection.execute(sql.SQL("alter database {} rename to {}").format(*names))
            return True
    return False


def list_targets() -> list[str]:
    """Return the servers on which homes are to be ready, or are."""
    with owner_connection() as control:
        return [name for (name,) in control.execute(_TARGETS)]


def fill(server: str, until: float) -> bool:
    """Drop what a server has too many or of an old version, then make what is missing, one home after the other.

    Tell whether something is missing still: when time, as `time.monotonic` counts it, is up. One home is made in any
    case.

    Errors: UnavailableError when the server does not answer.
    """
    with owner_connection() as control:
        if control.execute(f"select pg_try_advisory_lock({_LOCK})", (server,)).fetchone() != (True,):
            return False  # Somebody else is at it.
        wanted = control.execute(_WANTED, (server,)).fetchone() or (0, 0)
        work = [job for tier, count in zip((Tier.SCHEMA, Tier.DATABASE), wanted, strict=True)
                for job in _missing(control, server, tier, count)]  # fmt: skip
        for number, (tier, begun) in enumerate(work):
            if number and time.monotonic() > until:
                return True
            _make(control, server, tier, begun)
    return False


def drop_all(server: str) -> None:
    """Drop every ready home of a server, after whoever is making one there.

    Errors: UnavailableError when the server does not answer.
    """
    with owner_connection() as control:
        control.execute(f"select pg_advisory_lock({_LOCK})", (server,))
        for home in _list(control, server):
            _drop(control, server, home)


def _claims(control: Connection, server: str, tier: Tier) -> Iterator[str]:
    while (row := control.execute(_CLAIM, (server, tier, newest_home())).fetchone()) is not None:
        yield ready_name(row[0])


def _list(control: Connection, server: str) -> list[ReadyHome]:
    return [ReadyHome(*row) for row in control.execute(_LIST, (server,)).fetchall()]


def _missing(control: Connection, server: str, tier: Tier, wanted: int) -> list[tuple[Tier, UUID | None]]:
    """Drop what is too much; return what is to be made: rows that a killed run has begun, then new ones."""
    homes = [home for home in _list(control, server) if home.tier == tier]
    # During an upgrade the release before this one leaves those of the next alone.
    kept = [home for home in homes if home.version >= newest_home()]
    for home in [home for home in homes if home not in kept] + kept[wanted:]:
        _drop(control, server, home)
    begun = [home.id for home in kept[:wanted] if not home.is_ready]
    return [(tier, home_id) for home_id in begun] + [(tier, None)] * (wanted - len(kept))


def _make(control: Connection, server: str, tier: Tier, begun: UUID | None) -> None:
    template = read_structure(control, TEMPLATE_SCHEMA)
    if tier is Tier.SCHEMA and template.version != newest_version("tenant"):
        return  # Homes of this release can be made when it has migrated what they are made of.
    home_id = begun or new_id()
    if begun is None:
        control.execute(_BEGIN, (home_id, server, tier, newest_home()))
    source = ensure_template_database(server) if tier is Tier.DATABASE else ""
    with owner_connection(DatabaseAddress(server)) as connection:
        if tier is Tier.DATABASE:
            make_database(connection, ready_name(home_id), source)
        else:
            with connection.transaction():
                drop_schema(connection, ready_name(home_id))
                make_schema(connection, ready_name(home_id), template)
    control.execute(_READY, (home_id,))


def _drop(control: Connection, server: str, home: ReadyHome) -> None:
    with control.transaction():
        if control.execute(_TAKE, (home.id,)).fetchone() is None:
            return  # It is being claimed.
        with owner_connection(DatabaseAddress(server)) as connection:
            if home.tier == Tier.DATABASE:
                connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(home.name)))
            else:
                with connection.transaction():
                    drop_schema(connection, home.name)
