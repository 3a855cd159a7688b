"""Tenants as bare rows of the registry, for tests of the levels below tenants and provisioning."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from flask import current_app
from psycopg import sql

from app.core.database.session import registry
from app.core.ids import new_id
from app.core.tenancy.scopes import Placement, TenantRoute, Tier
from app.homes.building import build_home, place_home

PLAN = """
insert into control.plans (id, key, name, price_label, summary, position, region, time_zone, currency, limits)
values (%s, 'toy', 'Toy', 'free', '', 1, 'eu', 'UTC', 'EUR', '{}') on conflict (key) do nothing
"""
TENANT = """
insert into control.tenants (id, slug, name, name_search, status, activity, plan_id, region, time_zone, locale,
    currency, owner_name, owner_email, created_at, updated_at)
select %(id)s, %(slug)s, initcap(%(slug)s), %(slug)s, %(status)s, 'none', p.id, 'eu', 'UTC', 'en', 'EUR', 'Bob',
    'bob@example.com', now(), now() from control.plans p where p.key = 'toy'
"""
PLACE = "insert into control.placements (tenant_id, server, database_name, tier, schema_name, epoch) values "
HOME = "insert into tenancy.homes values (%s, 1, %s) on conflict (tenant_id) do update set state = excluded.state"

usual_place: list[Any] = [Tier.POOL, "main"]


def make_tenant_rows(slug: str, *, status: str = "active", home_state: str = "active") -> TenantRoute:
    """Insert a tenant with a placement and a home, as the owner; return its route."""
    tenant_id = new_id()
    placement = place_home(tenant_id, *usual_place)
    with owner_connection() as connection:
        _insert_tenant(connection, tenant_id, slug, status)
        _insert_placement(connection, tenant_id, placement)
        if placement.tier is not Tier.POOL:
            connection.commit()
            build_home(tenant_id, placement)
        connection.execute(HOME, (tenant_id, home_state))
    return route_of(tenant_id)


def put_tenants_in(tier: Tier, server: str) -> None:
    """Let every test's tenants lie there, unless it says itself where: `pytest --tenants-in`."""
    usual_place[:] = tier, server


def write_placement(tenant_id: UUID, placement: Placement) -> None:
    """Write the registry's row of where a home lies."""
    with owner_connection() as connection:
        _insert_placement(connection, tenant_id, placement)


def insert_tenant(slug: str, *, status: str = "active") -> UUID:
    """Insert a tenant that has no home yet, as the owner; return its id."""
    tenant_id = new_id()
    with owner_connection() as connection:
        _insert_tenant(connection, tenant_id, slug, status)
    return tenant_id


def set_tenant(tenant_id: UUID, **columns: object) -> None:
    """Change columns of a tenant's registry row; the tenant's routes are read anew."""
    _set("control.tenants", "id", tenant_id, columns)


def set_home(tenant_id: UUID, **columns: object) -> None:
    """Change the state or the epoch of a home, as a fence or a move does."""
    _set("tenancy.homes", "tenant_id", tenant_id, columns)


def route_of(tenant_id: UUID) -> TenantRoute:
    """Return a tenant's route as it is now."""
    registry().forget(tenant_id)
    route = registry().find_route(tenant_id)
    assert route is not None
    return route


def owner_connection() -> psycopg.Connection:
    """Connect as the owner login."""
    return psycopg.connect(current_app.extensions["tenantry_settings"].database_url.get_secret_value())


def _insert_tenant(connection: psycopg.Connection, tenant_id: UUID, slug: str, status: str) -> None:
    connection.execute(PLAN, (new_id(),))
    connection.execute(TENANT, {"id": tenant_id, "slug": slug, "status": status})


def _insert_placement(connection: psycopg.Connection, tenant_id: UUID, place: Placement) -> None:
    values = (tenant_id, place.server, place.database, place.tier, place.schema, place.epoch)
    connection.execute(PLACE + "(%s, %s, %s, %s, %s, %s)", values)


def _set(table: str, key: str, tenant_id: UUID, columns: dict[str, object]) -> None:
    with owner_connection() as connection:
        for name, value in columns.items():
            statement = sql.SQL("update {} set {} = %s where {} = %s")
            named = statement.format(sql.Identifier(*table.split(".")), sql.Identifier(name), sql.Identifier(key))
            connection.execute(named, (value, tenant_id))
    registry().forget(tenant_id)
