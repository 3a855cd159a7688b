"""The operation of a clone: its steps, in order, and what its end means for the new tenant and its source."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from app.audit.services import Target, record_event
from app.clones import copying
from app.clones.copying import Way
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import registry
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import Placement, platform_scope
from app.encryption.services import ensure_keys
from app.homes.services import purge_home
from app.members.services import create_default_roles, hand_over_home
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation
from app.operations.services import note_progress
from app.tenants import queries, services
from app.tenants.status import TenantStatus

CLONE = "clones.clone"
ACTOR = Actor.system("clones")


def create_keys(given: StepInput) -> None:
    """Make the clone's own keys."""
    ensure_keys(given.get_tenant_id())


def check(given: StepInput) -> None:
    """Refuse what could not end well, and show what was found."""
    note_progress(given.operation_id, "check", copying.check(_way(given)))


def copy(given: StepInput) -> None:
    """Fill the new home."""
    note = partial(note_progress, given.operation_id, "copy")
    copied = copying.copy(_way(given), note)
    note(f"{copied.row_count:,} rows, {copied.byte_count // 1000:,} kB")


def drop(given: StepInput) -> None:
    """Take the new home down."""
    purge_home(given.get_tenant_id())


def open_home(given: StepInput) -> None:
    """Open the new home to its tenant."""
    copying.open_home(_way(given))


def hand_over(given: StepInput) -> None:
    """Begin the clone's own audit trail with where it came from, and give it its owner."""
    source = Target("tenant", UUID(given.payload["source_id"]), given.payload["source_slug"])
    record_event(AuditAction.TENANT_CLONED, target=source, actor=ACTOR)
    create_default_roles(actor=ACTOR)
    hand_over_home(name=given.payload["owner_name"], email=given.payload["owner_email"], actor=ACTOR)


def activate(given: StepInput) -> None:
    """Open the clone's portal, and tell the source."""
    services.change_status(
        given.get_tenant_id(), TenantStatus.ACTIVE, AuditAction.TENANT_ACTIVATED, reason=None, actor=ACTOR
    )
    _tell_source(given, AuditAction.CLONE_FINISHED, None)


def fail(given: StepInput, error: str) -> None:
    """Show the clone as failed, with the step's words."""
    services.change_status(
        given.get_tenant_id(), TenantStatus.FAILED, AuditAction.TENANT_FAILED, reason=error, actor=ACTOR
    )


def end_failed(given: StepInput) -> None:
    """End the tenant that could not be made, and tell the source."""
    reason = queries.get_tenant(given.get_tenant_id()).status_reason or "it was taken back"
    _tell_source(given, AuditAction.CLONE_FAILED, reason)
    services.discard_tenant(given.get_tenant_id(), reason=reason, actor=ACTOR)


def init_operation() -> None:
    """Declare the operation."""
    register_operation(
        OperationKind(
            name=CLONE,
            title="Clone tenant",
            steps=(
                Step("keys", "Create its keys", StepScope.PLATFORM, create_keys),
                Step("check", "Check both places and every table", StepScope.SERVER, check),
                Step("copy", "Copy from one snapshot and verify", StepScope.SERVER, copy, drop),
                Step("open", "Open the new home", StepScope.SERVER, open_home),
                Step("owner", "Invite the owner", StepScope.TENANT, hand_over),
                Step("activation", "Activate the clone", StepScope.PLATFORM, activate),
            ),
            on_failed=fail,
            on_compensated=end_failed,
            returns_before="activation",
        )
    )


def _tell_source(given: StepInput, action: AuditAction, reason: str | None) -> None:
    clone = queries.get_tenant(given.get_tenant_id())
    record_event(action, target=clone.target, actor=ACTOR, tenant_id=clone.cloned_from_id, reason=reason)


def _way(given: StepInput) -> Way:
    source_id, keeps_names = UUID(given.payload["source_id"]), given.payload["keeps_names"]
    with platform_scope("clone is read"), transaction():
        return Way(
            source_id,
            _place_of(source_id),
            given.get_tenant_id(),
            _place_of(given.get_tenant_id()),
            keeps_names=keeps_names,
        )


def _place_of(tenant_id: UUID) -> Placement:
    return registry().get_route(tenant_id).get_placement()
