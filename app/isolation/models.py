"""The table of probes with their signed reports."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.audit.services import Target
from app.core.database.models import ControlRecord, created_at


class ProbeState(StrEnum):
    """How a probe stands; what could not be tried whole has not passed."""

    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


OPEN_STATES = (ProbeState.WAITING, ProbeState.RUNNING)


class Probe(ControlRecord):
    """One run of the checks on one server; `document` is what was signed, byte by byte."""

    __tablename__ = "isolation_probes"
    __table_args__: Any = (
        Index("ix_isolation_probes_created_at_id", "created_at", "id"),
        Index("ix_isolation_probes_server_created_at_id", "server", "created_at", "id"),
        Index("ix_isolation_probes_state_created_at_id", "state", "created_at", "id"),
        Index(
            "uq_isolation_probes_open", "server", unique=True, postgresql_where=text("state in ('waiting', 'running')")
        ),
        {"schema": "control"},
    )

    server: Mapped[str]
    state: Mapped[str] = mapped_column(default=ProbeState.WAITING)
    actor_label: Mapped[str]
    done_count: Mapped[int] = mapped_column(default=0)
    total_count: Mapped[int] = mapped_column(default=0)
    failed_count: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    document: Mapped[bytes | None] = mapped_column(LargeBinary)
    signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    key_id: Mapped[str | None]
    created_at: Mapped[datetime] = created_at()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def target(self) -> Target:
        return Target("isolation probe", self.id, self.server)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_passed(self) -> bool:
        return self.state == ProbeState.PASSED
