"""Tenants whose homes lie in each tier on each server, built as provisioning builds them."""

from __future__ import annotations

from app.core.tenancy.scopes import TenantRoute, Tier
from app.homes.building import build_home, place_home
from tests.servers import ANNEX
from tests.tenant_rows import insert_tenant, route_of, write_placement

PLACES = [(tier, server) for server in ("main", ANNEX) for tier in Tier]


def make_home(slug: str, tier: Tier, server: str) -> TenantRoute:
    """Make an active tenant whose home lies in a tier on a server; return its route."""
    tenant_id = insert_tenant(slug)
    placement = place_home(tenant_id, tier, server)
    write_placement(tenant_id, placement)
    build_home(tenant_id, placement)
    return route_of(tenant_id)
