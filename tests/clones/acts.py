"""What the tests of clones do again and again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from app.clones.services import CloneDraft, start_clone
from app.core.database.owner import owner_connection
from app.core.tenancy.scopes import TenantRoute, Tier, platform_scope
from app.tenants.models import Tenant
from app.tenants.queries import get_tenant
from tests.factories import SETUP
from tests.tenant_rows import route_of
from tests.work import make_jobs_due, run_jobs

EVE = "eve@copy.example"
DRAFT = CloneDraft("Acme copy", "acme-copy", "Eve Adams", EVE, Tier.POOL, "main", None)


def ask(source: TenantRoute, **wanted: Any) -> UUID:
    """Start a clone; its making waits for a worker."""
    with platform_scope("test"):
        return start_clone(source.tenant_id, replace(DRAFT, **wanted), actor=SETUP)


def clone(source: TenantRoute, **wanted: Any) -> TenantRoute:
    """Make a clone, and return its route."""
    clone_id = ask(source, **wanted)
    run_jobs()
    return route_of(clone_id)


def read(tenant_id: UUID) -> Tenant:
    """Return a tenant as the registry has it."""
    with platform_scope("test"):
        return get_tenant(tenant_id)


def use_up_attempts() -> None:
    """Let the job of an operation that fails use up its attempts, and what follows run."""
    for _attempt in range(6):
        run_jobs(may_fail=True)
        make_jobs_due()
    run_jobs(may_fail=True)


def set_expiry(tenant_id: UUID, day: date | None) -> None:
    """Write the day on which a clone is closed, as if it had been set long ago."""
    with owner_connection() as owner:
        owner.execute("update control.tenants set expires_on = %s where id = %s", (day, tenant_id))
