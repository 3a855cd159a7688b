"""Building homes and taking them down, in each tier, over connections of the owner's own.

Nothing here is one transaction over all that it does, so each part finds what an earlier, killed run has done.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.core.database.context_keys import install_context_key
from app.core.database.owner import owner_connection, owner_in_home
from app.core.database.versions import TEMPLATE_SCHEMA
from app.core.runtime import current_settings
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, Placement, Tier
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
        _create_database(placement)
    if placement.tier is Tier.SCHEMA:
        _create_schema(placement)
    open_home(tenant_id, placement)


def open_home(tenant_id: UUID, placement: Placement) -> None:
    """Let the home's database, and the main one, accept contexts of this epoch."""
    for address in dict.fromkeys((placement.address, MAIN_DATABASE)):
        with owner_connection(address) as connection:
            connection.execute(_OPEN, (tenant_id, placement.epoch))


def drop_home(tenant_id: UUID, placement: Placement) -> None:
    """Take down a home with all that is in it, and refuse every context of it from now on."""
    if placement.tier is Tier.POOL:
        _empty_pool(tenant_id, placement)
    if placement.tier is not Tier.DATABASE:
        with owner_connection(placement.address) as connection:
            connection.execute(_PURGE, (tenant_id, placement.epoch))
            if placement.tier is Tier.SCHEMA:
                name = sql.Identifier(placement.schema)
                connection.execute(sql.SQL("drop schema if exists {} cascade").format(name))
    with owner_connection() as connection:
        connection.execute(_PURGE, (tenant_id, placement.epoch))
    if placement.tier is Tier.DATABASE:
        _drop_database(placement)


def read_template() -> HomeStructure:
    """Return the structure of an empty home of the newest version."""
    with owner_connection() as connection:
        return read_structure(connection, TEMPLATE_SCHEMA)


def _create_schema(placement: Placement) -> None:
    template = read_template()
    with owner_connection(placement.address) as connection, connection.transaction():
        # Whoever else builds this home waits here, and then finds it built.
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (placement.schema,))
        if connection.execute("select to_regnamespace(%s)", (placement.schema,)).fetchone() == (None,):
            connection.execute(_schema_script(placement.schema, template))


def _schema_script(schema: str, template: HomeStructure) -> str:
    roles = Roles(current_settings().role_prefix)
    # Every part comes from the catalog, quoted by PostgreSQL where it needs it.
    return f"""
        create schema {schema};
        grant usage on schema {schema} to {roles.tenant};
        set local search_path to {schema};
        {template.render_tables()}
        {template.render_guards()}
        insert into alembic_version values ('{template.version}');
    """  # noqa: S608


def _create_database(placement: Placement) -> None:
    template = ensure_template_database(placement.server)
    with owner_connection(DatabaseAddress(placement.server)) as connection:
        _copy_database(connection, template, placement.database)
    with owner_connection(placement.address) as connection:
        install_context_key(connection, current_settings(), placement.address)


def _copy_database(connection: psycopg.Connection[Any], template: str, name: str) -> None:
    roles, named = Roles(current_settings().role_prefix), {"name": sql.Identifier(name)}
    try:
        statement = sql.SQL("create database {name} template {template} strategy file_copy")
        connection.execute(statement.format(**named, template=sql.Identifier(template)))
    except psycopg.errors.DuplicateDatabase:
        pass  # A run that was killed has copied it; a copy is there whole or not at all.
    # Who may connect is not part of what is copied.
    connection.execute(sql.SQL("revoke all on database {name} from public").format(**named))
    for role in (roles.tenant, roles.platform):
        grant = sql.SQL("grant connect on database {name} to {role}")
        connection.execute(grant.format(**named, role=sql.Identifier(role)))


def _drop_database(placement: Placement) -> None:
    with owner_connection(DatabaseAddress(placement.server)) as connection:
        statement = sql.SQL("drop database if exists {} with (force)")
        connection.execute(statement.format(sql.Identifier(placement.database)))
    with owner_connection() as control:
        control.execute(
            "delete from control.context_keys where (server, database_name) = (%s, %s)", tuple(placement.address)
        )


def _empty_pool(tenant_id: UUID, placement: Placement) -> None:
    with owner_connection(placement.address) as connection:
        tables = read_structure(connection, placement.schema).tables
        if not _is_open(connection, tenant_id):
            return
        with owner_in_home(connection, tenant_id, placement):
            for table in reversed(tables):
                name = sql.Identifier(placement.schema, table)
                connection.execute(sql.SQL("delete from {} where tenant_id = %s").format(name), (tenant_id,))


def _is_open(connection: psycopg.Connection[Any], tenant_id: UUID) -> bool:
    row = connection.execute("select state from tenancy.homes where tenant_id = %s", (tenant_id,)).fetchone()
    return row is not None and row[0] != "purged"
