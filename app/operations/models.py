"""The tables of operations, their steps, and the markers of steps in homes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.database.models import ControlRecord, Record, TenantOwned, created_at


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


FINAL_STATES = frozenset({OperationState.DONE, OperationState.FAILED, OperationState.COMPENSATED})


class Operation(TenantOwned, ControlRecord):
    """One run of a kind of long work, for a tenant or for the platform."""

    __tablename__ = "operations"

    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.tenants.id"))
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default=OperationState.PENDING)
    payload: Mapped[dict[str, Any]]
    actor_label: Mapped[str]
    attempt: Mapped[int] = mapped_column(default=0)
    done_count: Mapped[int] = mapped_column(default=0)
    total_count: Mapped[int]
    error: Mapped[str | None]
    created_at: Mapped[datetime] = created_at()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES


class OperationStep(Record):
    """One step of an operation, as the pages show it."""

    __tablename__ = "operation_steps"
    __table_args__: Any = {"schema": "control"}  # noqa: RUF012  # SQLAlchemy declares it an instance variable.

    operation_id: Mapped[UUID] = mapped_column(ForeignKey("control.operations.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    title: Mapped[str]
    state: Mapped[str] = mapped_column(default=StepState.PENDING)
    error: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class OperationMarker(TenantOwned, Record):
    """The proof, beside a step's effect in the home's database, that the effect has committed."""

    __tablename__ = "operation_markers"
    __table_args__: Any = {"schema": "tenancy"}  # noqa: RUF012  # SQLAlchemy declares it an instance variable.

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation_id: Mapped[UUID] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime] = mapped_column(default=clock.now)
