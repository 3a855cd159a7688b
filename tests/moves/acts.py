"""What the tests of the move operation do again and again."""

from __future__ import annotations

from uuid import UUID

from app.audit.models import ControlAuditEvent
from app.core.tenancy.scopes import TenantRoute, Tier, platform_scope
from app.moves import services
from app.moves.models import Move
from app.moves.queries import get_move
from app.tenants.queries import get_tenant
from tests.factories import SETUP, actions_of, rows_of
from tests.work import make_jobs_due, run_jobs


def start(tenant: TenantRoute, tier: Tier = Tier.SCHEMA, server: str = "annex") -> UUID:
    with platform_scope("test"):
        return services.start_move(tenant.tenant_id, tier=tier, server=server, actor=SETUP)


def read(move_id: UUID) -> Move:
    with platform_scope("test"):
        return get_move(move_id)


def region(tenant: TenantRoute) -> str:
    with platform_scope("test"):
        return get_tenant(tenant.tenant_id).region


def activity(tenant: TenantRoute) -> str:
    with platform_scope("test"):
        return get_tenant(tenant.tenant_id).activity


def move_events(tenant: TenantRoute) -> list[str]:
    events = [event for event in rows_of(ControlAuditEvent) if event.action.startswith("move.")]
    assert {event.tenant_id for event in events} == {tenant.tenant_id}
    return actions_of(events)


def fail_for_good(tenant: TenantRoute, tier: Tier, server: str) -> Move:
    """Start a move and let its job use up its attempts."""
    move_id = start(tenant, tier, server)
    for _attempt in range(6):
        run_jobs(may_fail=True)
        make_jobs_due()
    run_jobs(may_fail=True)
    return read(move_id)
