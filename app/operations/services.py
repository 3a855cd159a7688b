"""Starting, retrying and compensating operations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit.services import Target, record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import ConflictError, StateError
from app.core.ids import new_id
from app.core.job_names import JobName
from app.core.jobs import enqueue
from app.operations import queries
from app.operations.kinds import StepInput, get_operation_kind
from app.operations.models import Operation, OperationState, OperationStep


def start_operation(kind_name: str, *, tenant_id: UUID | None, payload: dict[str, Any], actor: Actor) -> UUID:
    """Write an operation with its steps and the job that runs it.

    Errors: ConflictError while another operation of the tenant is open.
    """
    kind = get_operation_kind(kind_name)
    operation = Operation(
        id=new_id(),
        tenant_id=tenant_id,
        kind=kind.name,
        payload=payload,
        actor_label=actor.label,
        total_count=len(kind.steps),
    )
    with transaction():
        db.session.add(operation)
        try:
            db.session.flush()
        except IntegrityError as error:
            raise ConflictError("Another operation of this tenant is still running.") from error
        for position, step in enumerate(kind.steps):
            db.session.add(
                OperationStep(operation_id=operation.id, name=step.name, position=position, title=step.title)
            )
        _enqueue(operation)
        _record(AuditAction.OPERATION_STARTED, operation, actor)
    return operation.id


def retry_operation(operation_id: UUID, *, actor: Actor) -> None:
    """Run a failed operation again from its first unfinished step.

    Errors: StateError unless it has failed.
    """
    with transaction():
        operation = _get_failed(operation_id)
        operation.state, operation.error, operation.finished_at = OperationState.PENDING, None, None
        _enqueue(operation)
        kind = get_operation_kind(operation.kind)
        if kind.on_retried is not None:
            kind.on_retried(StepInput(operation.id, operation.tenant_id, operation.payload), actor)
        _record(AuditAction.OPERATION_RETRIED, operation, actor)


def compensate_operation(operation_id: UUID, *, actor: Actor) -> None:
    """Take back what a failed operation has done, last step first.

    Errors: StateError unless it has failed.
    """
    with transaction():
        operation = _get_failed(operation_id)
        operation.state, operation.error, operation.finished_at = OperationState.COMPENSATING, None, None
        _enqueue(operation)
        _record(AuditAction.OPERATION_COMPENSATED, operation, actor)


def _get_failed(operation_id: UUID) -> Operation:
    operation = queries.get_operation(operation_id, lock=True)
    if operation.state != OperationState.FAILED:
        raise StateError("Only an operation that has failed can be retried or taken back.")
    return operation


def _enqueue(operation: Operation) -> None:
    operation.attempt += 1
    enqueue(
        JobName.OPERATIONS_RUN,
        {"operation_id": str(operation.id)},
        key=f"{operation.id}-{operation.attempt}",
        concerning=operation.tenant_id,
    )


def _record(action: AuditAction, operation: Operation, actor: Actor) -> None:
    target = Target("operation", operation.id, get_operation_kind(operation.kind).title)
    record_event(action, target=target, actor=actor, tenant_id=operation.tenant_id)
