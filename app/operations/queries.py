"""Reading operations."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, tuple_

from app.core.database.session import db
from app.core.errors import NotFoundError
from app.operations.models import Operation, OperationMarker, OperationStep


def get_operation(operation_id: UUID, *, lock: bool = False) -> Operation:
    """Return an operation, locked until the transaction ends if asked.

    Errors: NotFoundError.
    """
    operation = db.session.get(
        Operation, operation_id, with_for_update=lock or None, populate_existing=lock, execution_options={}
    )
    if operation is None:
        raise NotFoundError("There is no such operation.")
    return operation


def list_steps(operation_id: UUID) -> list[OperationStep]:
    """Return an operation's steps in their order."""
    statement = select(OperationStep).where(OperationStep.operation_id == operation_id)
    return list(db.session.scalars(statement.order_by(OperationStep.position)))


def find_latest_operation(tenant_id: UUID, kind: str | None = None) -> Operation | None:
    """Return a tenant's newest operation, of one kind if named."""
    statement = select(Operation).where(Operation.tenant_id == tenant_id)
    if kind is not None:
        statement = statement.where(Operation.kind == kind)
    return db.session.scalars(statement.order_by(Operation.created_at.desc()).limit(1)).first()


def list_operations(
    *, tenant_id: UUID | None = None, state: str | None = None, before: UUID | None = None, most: int = 50
) -> list[Operation]:
    """Return operations, newest first; `before` is the last id of the page before."""
    statement = select(Operation).order_by(Operation.created_at.desc(), Operation.id.desc()).limit(most)
    if tenant_id is not None:
        statement = statement.where(Operation.tenant_id == tenant_id)
    if state is not None:
        statement = statement.where(Operation.state == state)
    if before is not None:
        anchor = select(Operation.created_at, Operation.id).where(Operation.id == before).scalar_subquery()
        statement = statement.where(tuple_(Operation.created_at, Operation.id) < anchor)
    return list(db.session.scalars(statement))


def has_marker(operation_id: UUID, step: str) -> bool:
    """Tell whether a step's effect has committed in the running tenant's home."""
    statement = select(OperationMarker.step).where(
        OperationMarker.operation_id == operation_id, OperationMarker.step == step
    )
    return db.session.scalar(statement) is not None
