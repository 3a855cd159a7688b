"""A tenant's birth: its row, its slug, the place of its home."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit.services import record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import ConflictError, InputError
from app.core.ids import new_id
from app.core.tenancy.scopes import MAIN_SERVER, Tier
from app.plans import queries as plans
from app.tenants import queries
from app.tenants.models import Tenant, TenantPlacement, TenantSlug, TenantStatusChange, normalise_search
from app.tenants.slugs import check_slug, skeleton
from app.tenants.status import TenantStatus

POOL_SCHEMA = "pool"
SLUG_TAKEN = "This address is taken, or looks too much like one that is."


@dataclass(frozen=True)
class TenantDraft:
    """What is known of a tenant before it exists; what is None comes from the plan."""

    name: str
    slug: str
    owner_name: str
    owner_email: str
    plan: str
    region: str | None = None
    time_zone: str | None = None
    currency: str | None = None
    submission_key: str | None = None


def create_tenant(draft: TenantDraft, *, status: TenantStatus, actor: Actor) -> UUID:
    """Write a tenant with its slug and the place of its home.

    Errors: InputError for a slug that is malformed, reserved or taken, or a plan that is not; ConflictError when
    the same form was sent before.
    """
    slug = check_slug(draft.slug)
    if not queries.is_slug_free(slug):
        raise InputError(SLUG_TAKEN, "slug")
    plan = plans.get_plan(draft.plan)
    tenant = Tenant(
        id=new_id(),
        slug=slug,
        name=draft.name,
        name_search=normalise_search(draft.name),
        status=status,
        plan_id=plan.id,
        region=draft.region or plan.region,
        time_zone=draft.time_zone or plan.time_zone,
        currency=draft.currency or plan.currency,
        owner_name=draft.owner_name,
        owner_email=draft.owner_email.lower(),
        submission_key=draft.submission_key,
    )
    with transaction():
        _insert(tenant)
        db.session.add(
            TenantPlacement(
                tenant_id=tenant.id, server=MAIN_SERVER, tier=Tier.POOL.value, schema_name=POOL_SCHEMA, epoch=1
            )
        )
        db.session.add(TenantStatusChange.to_present(tenant, None, None, actor))
        action = AuditAction.TENANT_REQUESTED if status is TenantStatus.REQUESTED else AuditAction.TENANT_CREATED
        record_event(action, target=tenant.target, actor=actor, tenant_id=tenant.id)
    return tenant.id


def _insert(tenant: Tenant) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(tenant)
            db.session.flush()
            db.session.add(TenantSlug(slug=tenant.slug, skeleton=skeleton(tenant.slug), tenant_id=tenant.id))
    except IntegrityError as error:
        # Whoever committed first has the name; the database decides a race, not the check before it.
        if "submission" in str(error.orig):
            raise ConflictError("This form was sent before.") from error
        raise InputError(SLUG_TAKEN, "slug") from error
