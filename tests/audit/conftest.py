"""Acme with Bob, Globex with Carol, and Ada, each with a browser and some history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from psycopg import sql

from app.audit.services import Target, record_event
from app.core import clock
from app.core.actors import Actor, ActorKind
from app.core.audit_actions import AuditAction
from app.core.database.home_versions import HomeKey
from app.core.database.owner import owner_connection as owner_of
from app.core.database.transactions import transaction
from app.core.ids import new_id
from app.core.tenancy.scopes import DatabaseAddress, TenantRoute, platform_scope, tenant_scope
from app.web.hosts import Portal
from tests.factories import (
    make_bob,
    make_carol,
    make_staff_user,
    make_tenant,
    sign_in_as_ada,
    sign_in_as_bob,
    use_cheap_passwords,
)
from tests.page import PageClient
from tests.tenant_rows import owner_connection

ADA = Actor(ActorKind.STAFF, "ada@platform.example", new_id(), "192.0.2.7")
BOB = Actor(ActorKind.MEMBER, "bob@acme.example", new_id(), "198.51.100.4")
HOMES = "select server, database_name, schema_name from control.placements"
FORGET = (
    "alter table {} no force row level security",
    "delete from {}",
    "alter table {} force row level security",
)


def record(
    label: str,
    route: TenantRoute | None = None,
    *,
    actor: Actor = BOB,
    action: AuditAction = AuditAction.SETTINGS_UPDATED,
    days_ago: float = 0,
    **more: Any,
) -> None:
    """Write one event into a tenant's home, or into the control plane."""
    scope = tenant_scope(route, reason="test") if route else platform_scope("test")
    with clock.shifted(-timedelta(days=days_ago)), scope, transaction():
        record_event(action, target=Target("toy", new_id(), label), actor=actor, **more)


def forget_events() -> None:
    """Delete the events that making the cast has left, as only a superuser's role switch could."""
    with owner_connection() as control:
        control.execute("delete from control.audit_events")
        homes = control.execute(HOMES).fetchall()
    for server, database, schema in {HomeKey("main", "", "pool"), *homes}:
        with owner_of(DatabaseAddress(server, database)) as connection:
            table = sql.Identifier(schema, "audit_events")
            for statement in FORGET:
                connection.execute(sql.SQL(statement).format(table))


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    use_cheap_passwords(monkeypatch)


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    return make_tenant("acme")


@pytest.fixture
def globex(app: Portal) -> TenantRoute:
    return make_tenant("globex")


@pytest.fixture
def ada(app: Portal) -> PageClient:
    """Ada's browser: a platform admin, signed in; nothing has happened yet."""
    make_staff_user()
    client = sign_in_as_ada(app)
    forget_events()
    return client


@pytest.fixture
def bob(app: Portal, acme: TenantRoute, globex: TenantRoute) -> PageClient:
    """Bob's browser: Acme's owner, signed in; nothing has happened yet."""
    make_bob(acme)
    make_carol(globex)
    client = sign_in_as_bob(app, acme)
    forget_events()
    return client
