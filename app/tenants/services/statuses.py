"""The status of a tenant: each change by its product verb, with its history and its event."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, func, select

from app.audit.services import record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import StateError
from app.tenants import queries
from app.tenants.entries import check_reason
from app.tenants.models import TenantSlug, TenantStatusChange
from app.tenants.status import REACTIVATED_FROM, TenantStatus, label
from app.tenants.unarchival import check_unarchival


def suspend_tenant(tenant_id: UUID, *, reason: str, actor: Actor) -> None:
    """Stop a tenant's sign-ins and jobs; its data stays.

    Errors: StateError unless the tenant is active or past due; InputError for a reason that says nothing.
    """
    reason = check_reason(reason)
    change_status(tenant_id, TenantStatus.SUSPENDED, AuditAction.TENANT_SUSPENDED, reason=reason, actor=actor)


def reactivate_tenant(tenant_id: UUID, *, actor: Actor, reason: str | None = None) -> None:
    """Let a suspended tenant work again; jobs that waited run at once.

    Errors: StateError unless the tenant is suspended or past due.
    """
    with transaction():
        _refuse_other(tenant_id, REACTIVATED_FROM, AuditAction.TENANT_REACTIVATED)
        _reopen(tenant_id, TenantStatus.ACTIVE, AuditAction.TENANT_REACTIVATED, reason, actor)


def archive_tenant(tenant_id: UUID, *, reason: str, actor: Actor) -> None:
    """Close a tenant: nobody signs in, nothing runs, the data stays.

    Errors: StateError unless the tenant is active, past due or suspended; InputError for a reason that says nothing.
    """
    reason = check_reason(reason)
    change_status(tenant_id, TenantStatus.ARCHIVED, AuditAction.TENANT_ARCHIVED, reason=reason, actor=actor)


def unarchive_tenant(tenant_id: UUID, *, actor: Actor, reason: str | None = None, keep_suspended: bool = False) -> None:
    """Open an archived tenant again; jobs that waited run at once.

    One that was past due when it was archived is past due again. One that was suspended can be kept suspended, with
    the reason that it had: one more event.

    Errors: StateError unless the tenant is archived; InputError when a feature has something against it.
    """
    with transaction():
        _refuse_other(tenant_id, frozenset({TenantStatus.ARCHIVED}), AuditAction.TENANT_UNARCHIVED)
        check_unarchival(queries.get_tenant(tenant_id, lock=True))
        suspension = queries.find_lifted_suspension(tenant_id)
        was_past_due = queries.find_status_when_archived(tenant_id) == TenantStatus.PAST_DUE
        status = TenantStatus.PAST_DUE if was_past_due else TenantStatus.ACTIVE
        _reopen(tenant_id, status, AuditAction.TENANT_UNARCHIVED, reason, actor)
        if keep_suspended and suspension is not None:
            action, why = AuditAction.TENANT_SUSPENDED, suspension.reason
            change_status(tenant_id, TenantStatus.SUSPENDED, action, reason=why, actor=actor)


def expire_request(tenant_id: UUID, *, actor: Actor) -> None:
    """End a tenant that was never confirmed; its address is free again, because nobody ever had it.

    Errors: StateError unless the tenant is requested.
    """
    with transaction():
        change_status(
            tenant_id, TenantStatus.DELETED, AuditAction.TENANT_EXPIRED, reason="never confirmed", actor=actor
        )
        _free_slug(tenant_id)


def discard_tenant(tenant_id: UUID, *, reason: str, actor: Actor) -> None:
    """End a tenant that could not be made; its address is free again, because nobody ever had it.

    Errors: StateError unless making it has failed.
    """
    with transaction():
        for status in (TenantStatus.DELETING, TenantStatus.DELETED):
            change_status(tenant_id, status, AuditAction.TENANT_EXPIRED, reason=reason, actor=actor)
        _free_slug(tenant_id)


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
        db.session.add(TenantStatusChange.to_present(tenant, before, reason, actor))
        record_event(
            action,
            target=tenant.target,
            actor=actor,
            changes={"status": (before, status.value)},
            reason=reason,
            tenant_id=tenant.id,
        )


def _free_slug(tenant_id: UUID) -> None:
    tenant = queries.get_tenant(tenant_id, lock=True)
    db.session.execute(delete(TenantSlug).where(TenantSlug.tenant_id == tenant_id))
    # A tilde is in no slug, so the row keeps a name of its own and no host resolves to it.
    tenant.slug = f"{tenant.slug}~{tenant.id.hex[-8:]}"


def _refuse_other(tenant_id: UUID, allowed: frozenset[TenantStatus], action: AuditAction) -> None:
    """Hold the tenant until the transaction ends, and refuse one of another status than those that are allowed."""
    tenant = queries.get_tenant(tenant_id, lock=True)
    # More statuses lead to active than this verb is for: provisioning does, and each kind of closing has its own.
    if tenant.status not in allowed:
        wanted = " or ".join(label(status).lower() for status in sorted(allowed, reverse=True))
        verb = action.value.rpartition(".")[2]
        raise StateError(f"{tenant.name} is {label(tenant.status).lower()}; only one that is {wanted} can be {verb}.")


def _reopen(tenant_id: UUID, status: TenantStatus, action: AuditAction, reason: str | None, actor: Actor) -> None:
    change_status(tenant_id, status, action, reason=reason, actor=actor)
    db.session.execute(select(func.tenancy.hasten_jobs(tenant_id)))
