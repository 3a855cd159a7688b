"""Starting, retrying and compensating operations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.audit.services import Target, record_event, unaudited
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import ConflictError, StateError
from app.core.ids import new_id
from app.core.job_names import JobName
from app.core.jobs import enqueue
from app.core.tenancy.scopes import platform_scope
from app.operations import queries
from app.operations.kinds import StepInput, get_operation_kind
from app.operations.models import Operation, OperationState, OperationStep, StepState

ONE_OPEN = "uq_operations_tenant_id_open"


def start_operation(
    kind_name: str,
    *,
    tenant_id: UUID | None,
    payload: dict[str, Any],
    actor: Actor,
    source_tenant_id: UUID | None = None,
) -> UUID:
    """Write an operation with its steps and the job that runs it.

    One that reads the home of another tenant excludes what would change that home, not what else reads it.

    Errors: ConflictError while another operation of the tenant is open, or one that this one excludes.
    """
    kind = get_operation_kind(kind_name)
    operation = Operation(
        id=new_id(),
        tenant_id=tenant_id,
        source_tenant_id=source_tenant_id,
        kind=kind.name,
        payload=payload,
        actor_label=actor.label,
        attempt=1,
        total_count=len(kind.steps),
    )
    with transaction():
        _refuse_excluded(operation)
        db.session.add(operation)
        _refuse_second_open()
        for position, step in enumerate(kind.steps):
            db.session.add(
                OperationStep(operation_id=operation.id, name=step.name, position=position, title=step.title)
            )
        _enqueue(operation)
        _record(AuditAction.OPERATION_STARTED, operation, actor)
    return operation.id


def retry_operation(operation_id: UUID, *, actor: Actor) -> None:
    """Run a failed operation again from its first unfinished step, or go on taking it back where that has failed.

    Errors: StateError unless it has failed; ConflictError while another operation of the tenant is open.
    """
    with transaction():
        operation = _get_failed(operation_id)
        kind = get_operation_kind(operation.kind)
        _resume(operation)
        if kind.on_retried is not None and not operation.takes_back:
            kind.on_retried(StepInput(operation.id, operation.tenant_id, operation.payload), actor)
        _record(AuditAction.OPERATION_RETRIED, operation, actor)


def compensate_operation(operation_id: UUID, *, actor: Actor) -> None:
    """Take back what a failed operation has done, last step first; there is no way forward after that.

    Errors: StateError unless it has failed; ConflictError while another operation of the tenant is open.
    """
    with transaction():
        operation = _get_failed(operation_id)
        if not operation.may_be_taken_back:
            raise StateError("This operation cannot be taken back, or it is being taken back already.")
        operation.takes_back = True
        _resume(operation)
        _record(AuditAction.OPERATION_COMPENSATED, operation, actor)


@unaudited("what a running step says of its progress; its start and its end are events")
def note_progress(operation_id: UUID, step: str, text: str) -> None:
    """Show how far a step that runs outside of every scope has come."""
    with platform_scope(f"progress of {step}"), transaction():
        queries.get_step(operation_id, step).detail = text


@unaudited("a part of the failure, which the feature's own hook records")
def return_by_itself(operation: Operation) -> bool:
    """Let an operation that fails take itself back, in the open transaction; tell whether its kind wants that."""
    last = get_operation_kind(operation.kind).returns_before
    if last is None or operation.takes_back or queries.get_step(operation.id, last).state == StepState.DONE:
        return False
    operation.takes_back, operation.state = True, OperationState.FAILED
    _resume(operation)
    return True


def _get_failed(operation_id: UUID) -> Operation:
    operation = queries.get_operation(operation_id, lock=True)
    if operation.state != OperationState.FAILED:
        raise StateError("Only an operation that has failed can be retried or taken back.")
    return operation


def _resume(operation: Operation) -> None:
    _refuse_excluded(operation)
    operation.resume()
    _refuse_second_open()
    _enqueue(operation)


def _refuse_excluded(operation: Operation) -> None:
    for tenant_id in sorted(filter(None, (operation.tenant_id, operation.source_tenant_id))):
        # Whoever else starts an operation that concerns this tenant waits here, and then finds this one.
        lock = func.pg_advisory_xact_lock(func.hashtextextended(f"operations/{tenant_id}", 0))
        db.session.execute(select(lock))
    other = queries.find_excluding_operation(operation.tenant_id, operation.source_tenant_id)
    if other is None:
        return
    if other.tenant_id == operation.source_tenant_id:
        raise ConflictError(f"“{other.title}” of the tenant that would be copied is still running; try again after it.")
    raise ConflictError(f"“{other.title}” is reading this tenant’s home; try again when it has ended.")


def _refuse_second_open() -> None:
    try:
        db.session.flush()
    except IntegrityError as error:
        if ONE_OPEN not in str(error.orig):
            raise
        raise ConflictError("Another operation of this tenant is still running.") from error


def _enqueue(operation: Operation) -> None:
    enqueue(
        JobName.OPERATIONS_RUN,
        {"operation_id": str(operation.id)},
        key=f"{operation.id}-{operation.attempt}",
        concerning=operation.tenant_id,
    )


def _record(action: AuditAction, operation: Operation, actor: Actor) -> None:
    target = Target("operation", operation.id, get_operation_kind(operation.kind).title)
    record_event(action, target=target, actor=actor, tenant_id=operation.tenant_id)
