"""Tenants as the registry makes them, for tests that need them to differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import event

from app.audit.models import ControlAuditEvent
from app.core.audit_actions import AuditAction
from app.core.database.session import engines
from app.core.tenancy.scopes import Login, platform_scope
from app.homes.building import place_home
from app.plans.services import seed_catalogue
from app.tenants import queries, services
from app.tenants.models import Tenant
from app.tenants.services import TenantDraft
from app.tenants.status import TenantStatus
from tests.factories import SETUP, rows_of

# How a tenant comes to each status from provisioning.
WAYS = {
    "active": ("active",),
    "past_due": ("active", "past_due"),
    "suspended": ("active", "suspended"),
    "archived": ("active", "archived"),
    "failed": ("failed",),
    "deleting": ("failed", "deleting"),
    "deleted": ("failed", "deleting", "deleted"),
}


def register(
    slug: str,
    *,
    name: str | None = None,
    status: str = "active",
    plan: str = "starter",
    region: str | None = None,
    owner_email: str = "bob@example.com",
    tags: Iterable[str] = (),
) -> UUID:
    """Make a tenant through the services, and take it to a status along the transitions."""
    draft = TenantDraft(name or slug.capitalize(), slug, "Bob", owner_email, plan, region=region)
    born = TenantStatus.REQUESTED if status == "requested" else TenantStatus.PROVISIONING
    with platform_scope("test"):
        seed_catalogue()
        tenant_id = services.create_tenant(draft, status=born, place=place_home, actor=SETUP)
        for step in WAYS.get(status, ()):
            services.change_status(
                tenant_id, TenantStatus(step), AuditAction.TENANT_ACTIVATED, reason="set up", actor=SETUP
            )
        for tag in tags:
            services.add_tag(tenant_id, tag, actor=SETUP)
    return tenant_id


def read_tenant(tenant_id: UUID) -> Tenant:
    """Return a tenant as it is now."""
    with platform_scope("test"):
        return queries.get_tenant(tenant_id)


def status_of(tenant_id: UUID) -> str:
    """Return a tenant's status as it is now."""
    return read_tenant(tenant_id).status


def last_event(action: AuditAction) -> ControlAuditEvent:
    """Return the newest event of a kind."""
    found = [event for event in rows_of(ControlAuditEvent) if event.action == action]
    return max(found, key=lambda event: (event.at, event.id))


def count_events(action: AuditAction) -> int:
    """Count the events of a kind."""
    return sum(event.action == action for event in rows_of(ControlAuditEvent))


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Collect what the platform login is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    engine = engines().for_login(Login.PLATFORM)
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)
