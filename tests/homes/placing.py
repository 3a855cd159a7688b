"""Tenants whose homes lie in each tier on each server, built as provisioning builds them."""

from __future__ import annotations

from uuid import UUID

from app.core.tenancy.scopes import Placement, TenantRoute, Tier
from app.homes.building import build_home, place_home
from tests.servers import ANNEX
from tests.tenant_rows import insert_tenant, owner_connection, route_of

PLACES = [(tier, server) for server in ("main", ANNEX) for tier in Tier]
PLACE = "insert into control.placements (tenant_id, server, database_name, tier, schema_name, epoch) values "


def make_home(slug: str, tier: Tier, server: str) -> TenantRoute:
    """Make an active tenant whose home lies in a tier on a server; return its route."""
    tenant_id = insert_tenant(slug)
    placement = place_home(tenant_id, tier, server)
    write_placement(tenant_id, placement)
    build_home(tenant_id, placement)
    return route_of(tenant_id)


def write_placement(tenant_id: UUID, placement: Placement) -> None:
    """Write the registry's row of where a home lies."""
    values = (tenant_id, placement.server, placement.database, placement.tier, placement.schema, placement.epoch)
    with owner_connection() as connection:
        connection.execute(PLACE + "(%s, %s, %s, %s, %s, %s)", values)
