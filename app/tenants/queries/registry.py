"""One tenant and what the registry holds of it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.core.database.session import db
from app.core.errors import NotFoundError
from app.tenants.models import Tenant, TenantFact, TenantPlacement, TenantSlug, TenantStatusChange
from app.tenants.slugs import skeleton
from app.tenants.status import TenantStatus

MOST_STATUS_CHANGES = 200


def get_tenant(tenant_id: UUID, *, lock: bool = False) -> Tenant:
    """Return a tenant, locked until the transaction ends if asked.

    Errors: NotFoundError.
    """
    statement = select(Tenant).where(Tenant.id == tenant_id)
    if lock:
        statement = statement.with_for_update(of=Tenant).execution_options(populate_existing=True)
    tenant = db.session.scalar(statement)
    if tenant is None:
        raise NotFoundError("There is no such tenant.")
    return tenant


def get_tenant_by_slug(slug: str) -> Tenant:
    """Return a tenant by its slug.

    Errors: NotFoundError.
    """
    tenant = db.session.scalar(select(Tenant).where(Tenant.slug == slug))
    if tenant is None:
        raise NotFoundError(f"There is no tenant “{slug}”.")
    return tenant


def find_by_submission(submission_key: str) -> Tenant | None:
    """Return the tenant that a form made, so that sending the form twice makes one."""
    return db.session.scalar(select(Tenant).where(Tenant.submission_key == submission_key))


def is_slug_free(slug: str) -> bool:
    """Tell whether no present or former slug looks like this one."""
    return db.session.scalar(select(TenantSlug.slug).where(TenantSlug.skeleton == skeleton(slug))) is None


def find_placement(tenant_id: UUID) -> TenantPlacement | None:
    """Return where a tenant's home lies."""
    return db.session.get(TenantPlacement, tenant_id)


def list_status_changes(tenant_id: UUID) -> list[TenantStatusChange]:
    """Return a tenant's status history, newest first, as far back as a page shows it."""
    statement = select(TenantStatusChange).where(TenantStatusChange.tenant_id == tenant_id)
    newest = statement.order_by(TenantStatusChange.at.desc(), TenantStatusChange.id.desc())
    return list(db.session.scalars(newest.limit(MOST_STATUS_CHANGES)))


def find_lifted_suspension(tenant_id: UUID) -> TenantStatusChange | None:
    """Return the suspension that unarchiving a tenant lifts; None for one that was not suspended when archived."""
    statement = select(TenantStatusChange).where(TenantStatusChange.tenant_id == tenant_id)
    newest = statement.order_by(TenantStatusChange.at.desc(), TenantStatusChange.id.desc()).limit(1)
    archival = db.session.scalar(newest)
    if archival is None or (archival.from_status, archival.to_status) != (
        TenantStatus.SUSPENDED,
        TenantStatus.ARCHIVED,
    ):
        return None
    return db.session.scalar(newest.where(TenantStatusChange.to_status == TenantStatus.SUSPENDED))


def list_facts(tenant_id: UUID) -> dict[str, TenantFact]:
    """Return a tenant's facts by key."""
    facts = db.session.scalars(select(TenantFact).where(TenantFact.tenant_id == tenant_id))
    return {fact.key: fact for fact in facts}
