"""Building homes and taking them down, in each tier, over connections of the owner's own.

Nothing here is one transaction over all that it does, so each part finds what an earlier, killed run has done.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.core.database.context_keys import install_context_key
from app.core.database.dropping import drop_database
from app.core.database.home_versions import HomeKey, copy_version, forget_version, read_version
from app.core.database.owner import owner_connection, owner_in_home, seeing_sessions
from app.core.database.versions import TEMPLATE_SCHEMA
from app.core.runtime import current_settings
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, Placement, Tier
from app.homes.making import drop_schema, has_database, make_database, make_schema, open_database, open_schema
from app.homes.ready_homes import claim_database, claim_schema
from app.homes.structure import HomeStructure, read_structure
from app.homes.template_databases import ensure_template_database

DATABASE_SCHEMA = "home"
_OPEN = """
insert into tenancy.homes (tenant_id, epoch, state) values (%s, %s, 'active')
on conflict (tenant_id) do update set epoch = excluded.epoch, state = 'active' where homes.epoch < excluded.epoch
"""
_PURGE = "update tenancy.homes set state = 'purged' where tenant_id = %s and epoch <= %s"


def place_home(tenant_id: UUID, tier: Tier, server: str, epoch: int = 1) -> Placement:
    """Return the placement of a tenant's home in a tier on a server; names come from the id, never the slug."""
    own = f"t_{tenant_id.hex}"
    if tier is Tier.DATABASE:
        return Placement(server, tier, DATABASE_SCHEMA, epoch, own)
    return Placement(server, tier, own if tier is Tier.SCHEMA else "pool", epoch)


def build_home(tenant_id: UUID, placement: Placement) -> None:
    """Create an empty home where a placement says, and open it.

    Errors: UnavailableError when a server does not answer.
    """
    if placement.tier is Tier.DATABASE:
        create_database(placement)
    if placement.tier is Tier.SCHEMA:
        _create_schema(placement)
    open_home(tenant_id, placement)


def open_home(tenant_id: UUID, placement: Placement) -> None:
    """Let the home's database, and the main one, accept contexts of this epoch; routing learns the home's version."""
    with owner_connection(placement.address) as connection:
        connection.execute(_OPEN, (tenant_id, placement.epoch))
        version = read_version(connection, placement.schema)
    with owner_connection() as control:
        control.execute(_OPEN, (tenant_id, placement.epoch))
        if placement.tier is not Tier.POOL and version is not None:
            copy_version(control, home_key(placement), placement.tier, version)


def home_key(placement: Placement) -> HomeKey:
    """Return where a home lies, without the epoch in which that is true."""
    return HomeKey(placement.server, placement.database, placement.schema)


def create_database(placement: Placement) -> None:
    """Give a placement a database of its own, with a context key of its own: a ready one, or a copy of the template."""
    server, name = placement.server, placement.database
    with owner_connection() as control, owner_connection(DatabaseAddress(server)) as connection:
        # The claim counts when the database bears its new name, so control's transaction ends behind that.
        with control.transaction():
            is_there = has_database(connection, name) or claim_database(control, connection, server, name)
        if not is_there:
            make_database(connection, name, ensure_template_database(server))
        open_database(connection, name)
    with owner_connection(placement.address) as connection:
        install_context_key(connection, current_settings(), placement.address)


def drop_home(tenant_id: UUID, placement: Placement) -> None:
    """Take down a home with all that is in it, and refuse every context of it from now on.

    Where the tenant's home lies elsewhere by now, in a later epoch, that one is not touched.
    """
    drop_place(tenant_id, placement)
    kept = (MAIN_DATABASE,) if placement.tier is Tier.DATABASE else (placement.address, MAIN_DATABASE)
    for address in dict.fromkeys(kept):
        with owner_connection(address) as connection:
            connection.execute(_PURGE, (tenant_id, placement.epoch))


def drop_place(tenant_id: UUID, placement: Placement) -> None:
    """Drop the tables, or in the pool the rows, that lie at a placement."""
    if placement.tier is Tier.POOL:
        _empty_pool(tenant_id, placement)
    elif placement.tier is Tier.SCHEMA:
        with owner_connection(placement.address) as connection:
            drop_schema(connection, placement.schema)
    else:
        _drop_database(placement)
    if placement.tier is not Tier.POOL:
        with owner_connection() as control:
            forget_version(control, home_key(placement))


def read_template() -> HomeStructure:
    """Return the structure of an empty home of the newest version."""
    with owner_connection() as connection:
        return read_structure(connection, TEMPLATE_SCHEMA)


def _create_schema(placement: Placement) -> None:
    with (
        owner_connection() as control,
        owner_connection(placement.address) as connection,
        # A claimed home is renamed for good before its row is gone, so none is lost between the two.
        control.transaction(),
        connection.transaction(),
    ):
        # Whoever else builds this home waits here, and then finds it built.
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (placement.schema,))
        if connection.execute("select to_regnamespace(%s)", (placement.schema,)).fetchone() == (None,):
            if not claim_schema(control, connection, placement.server, placement.schema):
                make_schema(connection, placement.schema, read_structure(control, TEMPLATE_SCHEMA))
            open_schema(connection, placement.schema)


def _drop_database(placement: Placement) -> None:
    with owner_connection(DatabaseAddress(placement.server)) as connection:
        if has_database(connection, placement.database):
            _end_sessions(connection, placement.database)
            drop_database(connection, placement.database)
    with owner_connection() as control:
        control.execute(
            "delete from control.context_keys where (server, database_name) = (%s, %s)", tuple(placement.address)
        )


def _end_sessions(connection: psycopg.Connection[Any], name: str) -> None:
    """Let nobody in any more, and end the pooled connections that other processes keep."""
    connection.execute(sql.SQL("alter database {} with allow_connections false").format(sql.Identifier(name)))
    with seeing_sessions(connection):
        connection.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", (name,))


def _empty_pool(tenant_id: UUID, placement: Placement) -> None:
    with owner_connection(placement.address) as connection:
        epoch = _find_open_epoch(connection, tenant_id)
        if epoch is None:
            return
        tables = read_structure(connection, placement.schema).tables
        with owner_in_home(connection, tenant_id, replace(placement, epoch=epoch)):
            for table in reversed(tables):
                name = sql.Identifier(placement.schema, table)
                connection.execute(sql.SQL("delete from {} where tenant_id = %s").format(name), (tenant_id,))


def _find_open_epoch(connection: psycopg.Connection[Any], tenant_id: UUID) -> int | None:
    row = connection.execute(
        "select epoch from tenancy.homes where tenant_id = %s and state <> 'purged'", (tenant_id,)
    ).fetchone()
    return None if row is None else int(row[0])
