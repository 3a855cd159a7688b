"""Writing the registry: a tenant's birth, its status, its facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.tenants.slugs import check_slug, skeleton
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.audit.services import record_event, unaudited
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import ConflictError, InputError, StateError
from app.core.ids import new_id
from app.core.tenancy.scopes import MAIN_SERVER, Tier, current_tenant_id
from app.plans import queries as plans
from app.tenants import queries
from app.tenants.models import Tenant, TenantFact, TenantPlacement, TenantSlug, TenantStatusChange, normalise_search
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
        _record_status(tenant, None, None, actor)
        action = AuditAction.TENANT_REQUESTED if status is TenantStatus.REQUESTED else AuditAction.TENANT_CREATED
        record_event(action, target=tenant.target, actor=actor, tenant_id=tenant.id)
    return tenant.id


def suspend_tenant(tenant_id: UUID, *, reason: str, actor: Actor) -> None:
    """Stop a tenant's sign-ins and jobs; its data stays.

    Errors: StateError unless the tenant is active or past due.
    """
    change_status(tenant_id, TenantStatus.SUSPENDED, AuditAction.TENANT_SUSPENDED, reason=reason, actor=actor)


def reactivate_tenant(tenant_id: UUID, *, actor: Actor, reason: str | None = None) -> None:
    """Let a suspended tenant work again; jobs that waited run at once.

    Errors: StateError unless the tenant is suspended or past due.
    """
    with transaction():
        tenant = queries.get_tenant(tenant_id, lock=True)
        if tenant.status == TenantStatus.ARCHIVED:
            raise StateError("An archived tenant is unarchived, not reactivated.")
        change_status(tenant_id, TenantStatus.ACTIVE, AuditAction.TENANT_REACTIVATED, reason=reason, actor=actor)
        db.session.execute(select(func.tenancy.hasten_jobs(tenant_id)))


def archive_tenant(tenant_id: UUID, *, reason: str, actor: Actor) -> None:
    """Close a tenant: nobody signs in, nothing runs, the data stays.

    Errors: StateError unless the tenant is active, past due or suspended.
    """
    change_status(tenant_id, TenantStatus.ARCHIVED, AuditAction.TENANT_ARCHIVED, reason=reason, actor=actor)


def unarchive_tenant(tenant_id: UUID, *, actor: Actor) -> None:
    """Open an archived tenant again.

    Errors: StateError unless the tenant is archived.
    """
    with transaction():
        if queries.get_tenant(tenant_id, lock=True).status != TenantStatus.ARCHIVED:
            raise StateError("Only an archived tenant can be unarchived.")
        change_status(tenant_id, TenantStatus.ACTIVE, AuditAction.TENANT_UNARCHIVED, reason=None, actor=actor)


def expire_request(tenant_id: UUID, *, actor: Actor) -> None:
    """End a tenant that was never confirmed; its address is free again, because nobody ever had it.

    Errors: StateError unless the tenant is requested.
    """
    with transaction():
        tenant = queries.get_tenant(tenant_id, lock=True)
        change_status(
            tenant_id, TenantStatus.DELETED, AuditAction.TENANT_EXPIRED, reason="never confirmed", actor=actor
        )
        db.session.execute(delete(TenantSlug).where(TenantSlug.tenant_id == tenant_id))
        # A tilde is in no slug, so the row keeps a name of its own and no host resolves to it.
        tenant.slug = f"{tenant.slug}~{tenant.id.hex[-8:]}"


def change_status(
    tenant_id: UUID, status: TenantStatus, action: AuditAction, *, reason: str | None, actor: Actor
) -> None:
    """Take a tenant to another status, with its history and its event.

    Errors: StateError for a transition that the table does not allow.
    """
    with transaction():
        tenant = queries.get_tenant(tenant_id, lock=True)
        before = tenant.status
        tenant.become(status, reason)
        _record_status(tenant, before, reason, actor)
        record_event(
            action,
            target=tenant.target,
            actor=actor,
            changes={"status": (before, status.value)},
            reason=reason,
            tenant_id=tenant.id,
        )


@unaudited("a published figure, not a change; it carries its own time")
def publish_fact(key: str, value: Any) -> None:
    """Write a figure of the running tenant's home to where the platform reads it."""
    row = insert(TenantFact).values(tenant_id=current_tenant_id(), key=key, value=value, as_of=clock.now())
    statement = row.on_conflict_do_update(
        index_elements=["tenant_id", "key"], set_={"value": row.excluded.value, "as_of": row.excluded.as_of}
    )
    with transaction():
        db.session.execute(statement)


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


def _record_status(tenant: Tenant, before: str | None, reason: str | None, actor: Actor) -> None:
    db.session.add(
        TenantStatusChange(
            tenant_id=tenant.id,
            from_status=before,
            to_status=tenant.status,
            reason=reason,
            actor_label=actor.label,
        )
    )
