"""Reading operations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, false, func, or_, select, tuple_

from app.core.database.session import db
from app.core.errors import NotFoundError
from app.operations.models import OPEN_STATES, Operation, OperationMarker, OperationStep, StepState
from app.web.tables import Cursor, Page, build_page, decode_cursor

PAGE_ROWS = 50
EXPORT_ROWS = 10_000


@dataclass(frozen=True)
class OperationFilter:
    """Which operations a list shows."""

    state: str | None = None
    kind: str | None = None
    tenant_id: UUID | None = None


def get_operation(operation_id: UUID, *, lock: bool = False) -> Operation:
    """Return an operation, locked until the transaction ends if asked.

    Errors: NotFoundError.
    """
    operation = db.session.get(Operation, operation_id, with_for_update=lock or None, populate_existing=lock)
    if operation is None:
        raise NotFoundError("There is no such operation.")
    return operation


def get_step(operation_id: UUID, name: str) -> OperationStep:
    """Return one step as it is now; read under the operation's lock, it stays so."""
    return db.session.get_one(OperationStep, (operation_id, name), populate_existing=True)


def list_steps(operation_id: UUID) -> list[OperationStep]:
    """Return an operation's steps in their order."""
    statement = select(OperationStep).where(OperationStep.operation_id == operation_id)
    return list(db.session.scalars(statement.order_by(OperationStep.position)))


def count_done_steps(operation_id: UUID) -> int:
    """Count the steps whose effect stands."""
    done = (OperationStep.operation_id == operation_id, OperationStep.state == StepState.DONE)
    return db.session.scalar(select(func.count()).where(*done)) or 0


def find_latest_operation(tenant_id: UUID, kind: str | None = None) -> Operation | None:
    """Return a tenant's newest operation, of one kind if named."""
    statement = _matching(OperationFilter(kind=kind, tenant_id=tenant_id))
    return db.session.scalars(_newest_first(statement).limit(1)).first()


def find_excluding_operation(tenant_id: UUID | None, source_tenant_id: UUID | None) -> Operation | None:
    """Return an open operation that changes the home to be read, or reads the home to be changed."""
    excluded = []
    if source_tenant_id is not None:
        excluded.append(Operation.tenant_id == source_tenant_id)
    if tenant_id is not None:
        excluded.append(Operation.source_tenant_id == tenant_id)
    statement = select(Operation).where(or_(false(), *excluded), Operation.state.in_(OPEN_STATES))
    return db.session.scalars(statement.limit(1)).first()


def search_operations(wanted: OperationFilter, cursor: str | None = None) -> Page[Operation]:
    """Return a page of operations, newest first."""
    place = decode_cursor(cursor, "", (datetime, UUID))
    rows = _fetch(wanted, place, PAGE_ROWS + 1)
    return build_page(rows, limit=PAGE_ROWS, cursor=place, sort="", values=_position)


def iterate_operations(wanted: OperationFilter) -> Iterator[Operation]:
    """Yield the newest operations for an export, up to its limit."""
    place, left = None, EXPORT_ROWS
    while left > 0 and (rows := _fetch(wanted, place, min(left, 1000))):
        yield from rows
        place, left = Cursor(_position(rows[-1])), left - len(rows)


def has_marker(operation_id: UUID, step: str) -> bool:
    """Tell whether a step's effect has committed in the running tenant's home."""
    statement = select(OperationMarker.step).where(
        OperationMarker.operation_id == operation_id, OperationMarker.step == step
    )
    return db.session.scalar(statement) is not None


def _fetch(wanted: OperationFilter, place: Cursor | None, most: int) -> list[Operation]:
    """Return the nearest operations beyond a place, nearest first."""
    statement = _matching(wanted).limit(most)
    if place is None:
        return list(db.session.scalars(_newest_first(statement)))
    position, beyond = tuple_(Operation.created_at, Operation.id), tuple_(*place.values)
    if place.backward:
        oldest_first = statement.where(position > beyond).order_by(Operation.created_at, Operation.id)
        return list(db.session.scalars(oldest_first))
    return list(db.session.scalars(_newest_first(statement.where(position < beyond))))


def _position(row: Operation) -> tuple[datetime, UUID]:
    return row.created_at, row.id


def _matching(wanted: OperationFilter) -> Select[Operation]:
    statement = select(Operation)
    if wanted.state is not None:
        statement = statement.where(Operation.state == wanted.state)
    if wanted.kind is not None:
        statement = statement.where(Operation.kind == wanted.kind)
    if wanted.tenant_id is not None:
        statement = statement.where(Operation.tenant_id == wanted.tenant_id)
    return statement


def _newest_first(statement: Select[Operation]) -> Select[Operation]:
    return statement.order_by(Operation.created_at.desc(), Operation.id.desc())
