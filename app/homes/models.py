"""The tables of the fleet: versions of homes, what each version consists of, differences found, and runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Double, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.audit.services import Target
from app.core import clock
from app.core.database.home_versions import HomeKey
from app.core.database.models import ControlRecord, Record, created_at
from app.core.errors import StateError

_CONTROL = {"schema": "control"}
_OPEN = text("state in ('running', 'paused')")


class RunState(StrEnum):
    """The states of a run; a stopped one had too many failures."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"


class RunHomeState(StrEnum):
    """What has become of one home in a run."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class _Home:
    """The columns that say where a home lies."""

    @property
    def key(self) -> HomeKey:
        home: Any = self
        return HomeKey(home.server, home.database_name, home.schema_name)


class HomeVersionCopy(_Home, Record):
    """Routing's copy of a home's version; a pool is one home of many tenants."""

    __tablename__ = "home_versions"
    __table_args__: Any = _CONTROL

    server: Mapped[str] = mapped_column(primary_key=True)
    database_name: Mapped[str] = mapped_column(primary_key=True)
    schema_name: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[str]
    version: Mapped[str]
    tenancy_version: Mapped[str]
    migrated_at: Mapped[datetime]


class HomeTemplate(Record):
    """What an empty home of one version consists of."""

    __tablename__ = "home_templates"
    __table_args__: Any = _CONTROL

    version: Mapped[str] = mapped_column(primary_key=True)
    parts: Mapped[list[list[str]]] = mapped_column(JSONB)


class HomeCheck(_Home, Record):
    """The newest comparison of a home with the template of its version."""

    __tablename__ = "home_checks"
    __table_args__: Any = _CONTROL

    server: Mapped[str] = mapped_column(primary_key=True)
    database_name: Mapped[str] = mapped_column(primary_key=True)
    schema_name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    differences: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    error: Mapped[str | None]
    checked_at: Mapped[datetime]


class ReadyHome(ControlRecord):
    """An empty home that waits for a tenant; without `ready_at` it was begun."""

    __tablename__ = "ready_homes"
    __table_args__: Any = (Index("ix_ready_homes_server_tier_id", "server", "tier", "id"), _CONTROL)

    server: Mapped[str]
    tier: Mapped[str]
    version: Mapped[str]
    ready_at: Mapped[datetime | None]


class FleetRun(ControlRecord):
    """One run over every home that is behind, ring by ring."""

    __tablename__ = "fleet_runs"
    __table_args__: Any = (
        Index("ix_fleet_runs_created_at_id", "created_at", "id"),
        # One run at a time.
        Index(
            "uq_fleet_runs_open", text("(true)"), unique=True, postgresql_where=text("state in ('running', 'paused')")
        ),
        _CONTROL,
    )

    operation_id: Mapped[UUID] = mapped_column(ForeignKey("control.operations.id", name="fk_fleet_runs_operation_id"))
    state: Mapped[str] = mapped_column(default=RunState.RUNNING)
    to_version: Mapped[str]
    max_failure_ratio: Mapped[float] = mapped_column(Double)
    actor_label: Mapped[str]
    created_at: Mapped[datetime] = created_at()
    # Failures before it do not stop the run again: somebody has looked at them and gone on.
    judged_from: Mapped[datetime] = mapped_column(default=clock.now)
    finished_at: Mapped[datetime | None]

    @property
    def target(self) -> Target:
        return Target("fleet run", self.id, f"to version {self.to_version}")

    @property
    def is_live(self) -> bool:
        """Tell whether homes are being migrated now."""
        return self.state == RunState.RUNNING

    def pause(self) -> None:
        """Come to no more homes until somebody resumes it.

        Errors: StateError unless it is running.
        """
        if self.state != RunState.RUNNING:
            raise StateError("Only a run that is running can be paused.")
        self.state = RunState.PAUSED

    def go_on(self, at: datetime) -> None:
        """Run again; failures so far do not count any more.

        Errors: StateError while it is running.
        """
        if self.state == RunState.RUNNING:
            raise StateError("This run is running already.")
        self.state, self.finished_at, self.judged_from = RunState.RUNNING, None, at

    def end(self, state: RunState, at: datetime) -> None:
        """Come to no more homes."""
        self.state, self.finished_at = state, at


class FleetRunHome(_Home, Record):
    """What one run has done with one home."""

    __tablename__ = "fleet_run_homes"
    __table_args__: Any = (
        Index("ix_fleet_run_homes_run_id_state_ring_place", "run_id", "state", "ring", "place"),
        _CONTROL,
    )

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("control.fleet_runs.id", name="fk_fleet_run_homes_run_id"), primary_key=True
    )
    server: Mapped[str] = mapped_column(primary_key=True)
    database_name: Mapped[str] = mapped_column(primary_key=True)
    schema_name: Mapped[str] = mapped_column(primary_key=True)
    ring: Mapped[int]
    place: Mapped[int]
    from_version: Mapped[str]
    to_version: Mapped[str]
    state: Mapped[str] = mapped_column(default=RunHomeState.PENDING)
    error: Mapped[str | None]
    seconds: Mapped[float | None] = mapped_column(Double)
    finished_at: Mapped[datetime | None]

    def wait_again(self) -> None:
        """Be attempted once more."""
        self.state, self.error, self.seconds, self.finished_at = RunHomeState.PENDING, None, None, None
