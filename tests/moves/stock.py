"""A home with something in each of its tables, and what a move must leave the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.core.database.owner import owner_connection
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import Placement, TenantRoute, Tier, tenant_scope
from app.homes.building import place_home
from app.members.services import create_default_roles
from app.moves import engine
from app.moves.ends import open_end
from app.moves.engine import Route
from app.settings.models import Setting
from tests.factories import SETUP, make_bob, make_member
from tests.homes.placing import make_home

TABLES = ("audit_events", "member_sessions", "member_throttles", "members", "roles", "settings")
Rows = dict[str, list[tuple[Any, ...]]]


def make_stocked(slug: str, tier: Tier, server: str) -> TenantRoute:
    """Make a tenant with roles, two members, their sessions, settings and audit events."""
    tenant = make_home(slug, tier, server)
    with tenant_scope(tenant, reason="test"):
        create_default_roles(actor=SETUP)
        with transaction():
            db.session.add(Setting(key="colour", value={"name": "grün", "parts": [0, None, "'"]}))
    make_bob(tenant)
    make_member(tenant, "dora@acme.example")
    return tenant


def route_to(tenant: TenantRoute, tier: Tier, server: str) -> Route:
    """Return the way from where a tenant's home lies to another place."""
    assert tenant.placement is not None
    target = place_home(tenant.tenant_id, tier, server, tenant.placement.epoch + 1)
    return Route(tenant.tenant_id, tenant.placement, target)


def back(route: Route) -> Route:
    """Return the way back."""
    return Route(route.tenant_id, route.target, replace(route.source, epoch=route.target.epoch + 1))


def move(route: Route) -> None:
    """Go the whole way, as the operation's steps do."""
    engine.check(route)
    copied = engine.copy(route, lambda _text: None)
    engine.catch_up(route, lambda _text: None)
    engine.turn(route, row_count=copied.row_count)
    engine.tidy(route)


def go_back(route: Route) -> None:
    """Go the whole way back, as the operation's steps do."""
    engine.expect(route)
    engine.catch_up(route, lambda _text: None)
    engine.turn(route, row_count=0)
    engine.tidy(route)


def rows_at(tenant: TenantRoute, placement: Placement) -> Rows:
    """Return every row of a tenant's home at a placement, as the owner sees it."""
    found: Rows = {}
    with open_end(tenant.tenant_id, placement) as end, end.transaction():
        for table in TABLES:
            query = f"select * from {placement.schema}.{table} where tenant_id = '{tenant.tenant_id}' order by id"
            found[table] = end.connection.execute(query).fetchall()
    return found


def home_state(tenant: TenantRoute, placement: Placement) -> tuple[int, str] | None:
    """Return epoch and state of the tenant's home in a placement's database."""
    with owner_connection(placement.address) as connection:
        query = "select epoch, state from tenancy.homes where tenant_id = %s"
        return connection.execute(query, (tenant.tenant_id,)).fetchone()
