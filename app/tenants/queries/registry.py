"""One tenant and what the registry holds of it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import raiseload

from app.core.database.session import db, registry
from app.core.errors import NotFoundError
from app.tenants.canaries import WITH_CANARIES
from app.tenants.models import Tenant, TenantFact, TenantPlacement, TenantSlug, TenantStatusChange
from app.tenants.slugs import skeleton
from app.tenants.status import OPEN, TenantStatus

MOST_STATUS_CHANGES = 200
MOST_CLONES = 20


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


def find_canary(slug: str) -> UUID | None:
    """Return the canary of a slug."""
    statement = select(Tenant.id).where(Tenant.slug == slug, Tenant.is_canary)
    return db.session.scalar(statement, execution_options={WITH_CANARIES: True})


def list_canaries(server: str) -> list[UUID]:
    """Return the canaries whose homes lie on a server."""
    of_server = select(Tenant.id).join(TenantPlacement, TenantPlacement.tenant_id == Tenant.id)
    statement = of_server.where(Tenant.is_canary, TenantPlacement.server == server).order_by(Tenant.slug)
    return list(db.session.scalars(statement, execution_options={WITH_CANARIES: True}))


def find_by_submission(submission_key: str) -> Tenant | None:
    """Return the tenant that a form made, so that sending the form twice makes one."""
    return db.session.scalar(select(Tenant).where(Tenant.submission_key == submission_key))


def is_slug_free(slug: str) -> bool:
    """Tell whether no present or former slug looks like this one."""
    return db.session.scalar(select(TenantSlug.slug).where(TenantSlug.skeleton == skeleton(slug))) is None


def find_placement(tenant_id: UUID) -> TenantPlacement | None:
    """Return where a tenant's home lies."""
    return db.session.get(TenantPlacement, tenant_id)


def find_home_version(tenant_id: UUID) -> str | None:
    """Return the version of a tenant's home, as routing knows it; None for one that is not built."""
    route = registry().find_route(tenant_id)
    return route.home_version if route is not None else None


def list_clones(tenant_id: UUID) -> list[Tenant]:
    """Return the newest clones of a tenant that have not been deleted, as many as a page shows, without their plans."""
    statement = select(Tenant).where(Tenant.cloned_from_id == tenant_id, Tenant.status != TenantStatus.DELETED)
    newest_first = statement.order_by(Tenant.created_at.desc()).limit(MOST_CLONES)
    return list(db.session.scalars(newest_first.options(raiseload(Tenant.plan))))


def count_living_clones(tenant_id: UUID) -> int:
    """Count the clones of a tenant that work, are being made or could work again without being opened."""
    over = (TenantStatus.ARCHIVED, TenantStatus.DELETING, TenantStatus.DELETED)
    statement = select(func.count()).where(Tenant.cloned_from_id == tenant_id, Tenant.status.not_in(over))
    return db.session.scalar(statement) or 0


def list_expiring(by: date) -> list[Tenant]:
    """Return the tenants that work, or are suspended, and have a day up to this one on which they are closed."""
    alive = (*OPEN, TenantStatus.SUSPENDED)
    statement = select(Tenant).where(Tenant.expires_on <= by, Tenant.status.in_(alive))
    return list(db.session.scalars(statement.order_by(Tenant.expires_on, Tenant.id)))


def list_status_changes(tenant_id: UUID) -> list[TenantStatusChange]:
    """Return a tenant's status history, newest first, as far back as a page shows it."""
    statement = select(TenantStatusChange).where(TenantStatusChange.tenant_id == tenant_id)
    newest = statement.order_by(TenantStatusChange.at.desc(), TenantStatusChange.id.desc())
    return list(db.session.scalars(newest.limit(MOST_STATUS_CHANGES)))


def find_status_when_archived(tenant_id: UUID) -> str | None:
    """Return the status that an archived tenant had before; None for one that is not archived."""
    change = db.session.scalar(_newest_change(tenant_id))
    return change.from_status if change is not None and change.to_status == TenantStatus.ARCHIVED else None


def find_lifted_suspension(tenant_id: UUID) -> TenantStatusChange | None:
    """Return the suspension that unarchiving a tenant lifts; None for one that was not suspended when archived."""
    if find_status_when_archived(tenant_id) != TenantStatus.SUSPENDED:
        return None
    return db.session.scalar(_newest_change(tenant_id).where(TenantStatusChange.to_status == TenantStatus.SUSPENDED))


def list_facts(tenant_id: UUID) -> dict[str, TenantFact]:
    """Return a tenant's facts by key."""
    facts = db.session.scalars(select(TenantFact).where(TenantFact.tenant_id == tenant_id))
    return {fact.key: fact for fact in facts}


def _newest_change(tenant_id: UUID) -> Select[TenantStatusChange]:
    statement = select(TenantStatusChange).where(TenantStatusChange.tenant_id == tenant_id)
    return statement.order_by(TenantStatusChange.at.desc(), TenantStatusChange.id.desc()).limit(1)
