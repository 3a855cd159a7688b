"""A tenant's birth: its row, its slug, the place of its home."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit.services import record_event, unaudited
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import ConflictError, InputError
from app.core.ids import new_id
from app.core.search import normalise_search
from app.core.tenancy.scopes import Placement, Tier
from app.plans import queries as plans
from app.servers.services import reserve_any_place, reserve_place
from app.tenants import queries
from app.tenants.models import Tenant, TenantPlacement, TenantSlug, TenantStatusChange
from app.tenants.slugs import check_slug, skeleton
from app.tenants.status import TenantStatus

SLUG_TAKEN = "This address is taken, or looks too much like one that is."
# Says how a home is called in a tier on a server; homes are a level above.
Place = Callable[[UUID, Tier, str], Placement]


@dataclass(frozen=True)
class TenantDraft:
    """What is known of a tenant before it exists; what is None comes from the plan, the region from a named server."""

    name: str
    slug: str
    owner_name: str
    owner_email: str
    plan: str
    region: str | None = None
    time_zone: str | None = None
    currency: str | None = None
    submission_key: str | None = None
    tier: Tier | None = None
    server: str | None = None


def create_tenant(draft: TenantDraft, *, status: TenantStatus, place: Place, actor: Actor) -> UUID:
    """Write a tenant with its slug and the place of its home, which counts towards its server's capacity from now on.

    Errors: InputError for a slug that is malformed, reserved or taken, a plan that is not, or a server that takes no
    home or lies in another region than the draft names; ConflictError when the same form was sent before.
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
        server = _reserve(draft, tenant)
        _insert(tenant)
        db.session.add(placement_row(tenant.id, place(tenant.id, draft.tier or Tier(plan.tier), server)))
        db.session.add(TenantStatusChange.to_present(tenant, None, None, actor))
        action = AuditAction.TENANT_REQUESTED if status is TenantStatus.REQUESTED else AuditAction.TENANT_CREATED
        record_event(action, target=tenant.target, actor=actor, tenant_id=tenant.id)
    return tenant.id


def _reserve(draft: TenantDraft, tenant: Tenant) -> str:
    if draft.server is None:
        return reserve_any_place(tenant.region)
    region = reserve_place(draft.server).region
    if draft.region not in (None, region):
        raise InputError(f"{draft.server} lies in another region than the one that was chosen.", "server")
    tenant.region = region
    return draft.server


@unaudited("it only makes the row that the registration adds")
def placement_row(tenant_id: UUID, place: Placement) -> TenantPlacement:
    """Return the row that says where a tenant's home lies."""
    return TenantPlacement(
        tenant_id=tenant_id,
        server=place.server,
        tier=place.tier.value,
        schema_name=place.schema,
        database_name=place.database,
        epoch=place.epoch,
    )


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
