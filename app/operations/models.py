"""The tables of operations, their steps, and the markers of steps in homes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.database.models import ControlRecord, Record, TenantOwned, created_at
from app.core.database.session import registry
from app.operations.kinds import find_operation_kind


class OperationState(StrEnum):
    """The states of an operation."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"


class StepState(StrEnum):
    """The states of a step."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    COMPENSATED = "compensated"


_OPEN = text("state in ('pending', 'running', 'compensating')")
OPEN_STATES = (OperationState.PENDING, OperationState.RUNNING, OperationState.COMPENSATING)
FINAL_STATES = frozenset({OperationState.DONE, OperationState.FAILED, OperationState.COMPENSATED})


class Operation(TenantOwned, ControlRecord):
    """One run of a kind of long work, for a tenant or for the platform."""

    __tablename__ = "operations"
    __table_args__: Any = (
        Index("ix_operations_created_at_id", "created_at", "id"),
        Index("ix_operations_tenant_id_created_at_id", "tenant_id", "created_at", "id"),
        Index("ix_operations_state_created_at_id", "state", "created_at", "id"),
        Index("ix_operations_kind_created_at_id", "kind", "created_at", "id"),
        Index("ix_operations_source_tenant_id_open", "source_tenant_id", postgresql_where=_OPEN),
        # A tenant has one open operation at a time.
        Index("uq_operations_tenant_id_open", "tenant_id", unique=True, postgresql_where=_OPEN),
        {"schema": "control"},
    )

    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.tenants.id"))
    # The tenant whose home an operation of another one reads.
    source_tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.tenants.id"))
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default=OperationState.PENDING)
    payload: Mapped[dict[str, Any]]
    actor_label: Mapped[str]
    attempt: Mapped[int] = mapped_column(default=0)
    takes_back: Mapped[bool] = mapped_column(default=False)
    done_count: Mapped[int] = mapped_column(default=0)
    total_count: Mapped[int]
    error: Mapped[str | None]
    created_at: Mapped[datetime] = created_at()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def title(self) -> str:
        """Return what people call this kind of operation."""
        kind = find_operation_kind(self.kind)
        return kind.title if kind is not None else self.kind

    @property
    def may_be_retried(self) -> bool:
        return self.state == OperationState.FAILED

    @property
    def may_be_taken_back(self) -> bool:
        """Tell whether taking back is possible: once it was begun, it can only be retried."""
        kind = find_operation_kind(self.kind)
        return self.may_be_retried and not self.takes_back and kind is not None and kind.can_be_taken_back

    @property
    def slug(self) -> str | None:
        """Return the slug of the operation's tenant, if it still has one."""
        route = registry().find_route(self.tenant_id) if self.tenant_id else None
        return route.slug if route else None

    def begin(self, at: datetime) -> None:
        """Show that a worker has taken it up; one that is being taken back stays so."""
        if self.state == OperationState.PENDING:
            self.state = OperationState.RUNNING
        self.started_at = self.started_at or at

    def end(self, state: OperationState, at: datetime, error: str | None = None) -> None:
        """Reach a final state."""
        self.state, self.error, self.finished_at = state, error, at

    def resume(self) -> None:
        """Leave the failed state, in the direction in which it was going."""
        self.state = OperationState.COMPENSATING if self.takes_back else OperationState.PENDING
        self.error, self.finished_at, self.attempt = None, None, self.attempt + 1


class OperationStep(Record):
    """One step of an operation, as the pages show it."""

    __tablename__ = "operation_steps"
    __table_args__: Any = {"schema": "control"}  # noqa: RUF012  # SQLAlchemy declares it an instance variable.

    operation_id: Mapped[UUID] = mapped_column(ForeignKey("control.operations.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    title: Mapped[str]
    state: Mapped[str] = mapped_column(default=StepState.PENDING)
    detail: Mapped[str | None]
    error: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def seconds(self) -> float | None:
        """Return how long the step took, or None before its end."""
        if self.started_at is None or self.finished_at is None or self.finished_at < self.started_at:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    def change(self, state: StepState, at: datetime, error: str | None) -> None:
        """Go to another state; an effect that has committed is neither running nor failed any more."""
        if self.state == StepState.DONE and state in (StepState.RUNNING, StepState.FAILED):
            return
        self.state, self.error = state, error
        if state is StepState.RUNNING:
            self.started_at, self.finished_at = at, None
        else:
            self.finished_at = at


class OperationMarker(TenantOwned, Record):
    """The proof, beside a step's effect in the home's database, that the effect has committed."""

    __tablename__ = "operation_markers"
    __table_args__: Any = {"schema": "tenancy"}  # noqa: RUF012  # SQLAlchemy declares it an instance variable.

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation_id: Mapped[UUID] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime] = mapped_column(default=clock.now)
