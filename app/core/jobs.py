"""Job rows and the handlers that run them: PostgreSQL holds the truth, the queue only carries two ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Index, Text, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.database.models import ControlRecord, Record, TenantOwned, created_at
from app.core.database.session import db
from app.core.database.transactions import add_witness, after_commit
from app.core.ids import new_id
from app.core.job_names import JobName
from app.core.tenancy.scopes import current_scope

MAX_ATTEMPTS = 5
MAX_ERROR_CHARACTERS = 2_000
_UNFINISHED = text("state in ('pending', 'queued', 'running')")
_FAILED = text("state = 'failed'")


class Queue(StrEnum):
    """The queues; a worker serves exactly one."""

    DEFAULT = "default"
    OPERATIONS = "operations"


class JobState(StrEnum):
    """The states of a job."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class _JobColumns:
    kind: Mapped[str] = mapped_column(Text)
    queue: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]]
    key: Mapped[str | None]
    state: Mapped[str] = mapped_column(Text, default=JobState.PENDING)
    token: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    run_at: Mapped[datetime] = mapped_column(default=clock.now)
    lease_until: Mapped[datetime | None]
    done_count: Mapped[int | None]
    total_count: Mapped[int | None]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    request_id: Mapped[str | None]
    created_at: Mapped[datetime] = created_at()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class PlatformJob(_JobColumns, ControlRecord):
    """A job of the platform, in the control plane's outbox; it may concern a tenant."""

    __tablename__ = "outbox"
    __table_args__: Any = (
        UniqueConstraint("kind", "key"),
        Index("ix_outbox_due", "run_at", postgresql_where=_UNFINISHED),
        Index("ix_outbox_failed", "id", postgresql_where=_FAILED),
        Index("ix_outbox_tenant_id_id", "tenant_id", "id", postgresql_where=text("tenant_id is not null")),
        {"schema": "control"},
    )

    tenant_id: Mapped[UUID | None]


class TenantJob(_JobColumns, TenantOwned, Record):
    """A job of a tenant, in the outbox of the database that holds its home."""

    __tablename__ = "outbox"
    __table_args__: Any = (
        UniqueConstraint("tenant_id", "kind", "key"),
        Index("ix_outbox_due", "run_at", postgresql_where=_UNFINISHED),
        Index("ix_outbox_failed", "id", postgresql_where=_FAILED),
        Index("ix_outbox_id", "id"),
        Index("ix_outbox_tenant_id_created_at", "tenant_id", "created_at"),
        {"schema": "tenancy"},
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


@dataclass(frozen=True)
class JobKind:
    """What the dispatcher and the worker know of a kind of job."""

    name: JobName
    run: Callable[[dict[str, Any]], None]
    queue: Queue
    runs_suspended: bool
    enters_scope: bool
    on_failure: Callable[[dict[str, Any], str], None] | None
    max_attempts: int


_kinds: dict[str, JobKind] = {}
_doorbells: list[Callable[[], None]] = []


def job(
    name: JobName,
    *,
    queue: Queue = Queue.DEFAULT,
    runs_suspended: bool = False,
    enters_scope: bool = True,
    on_failure: Callable[[dict[str, Any], str], None] | None = None,
    max_attempts: int = MAX_ATTEMPTS,
) -> Callable[[Callable[[dict[str, Any]], None]], Callable[[dict[str, Any]], None]]:
    """Declare the function that runs a kind of job, in the scope of the job's tenant or of the platform.

    The handler is idempotent: after a kill it runs again. While its tenant is suspended or archived a job waits
    unless it `runs_suspended`; while the home is fenced, every one does. `on_failure` runs when no attempt is left, in
    the transaction that ends the job as failed. What works with the owner's own connections sets `enters_scope`
    to False: the operations runner, which enters one a step, and what homes are made by.
    """

    def declare(run: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        _kinds[name] = JobKind(name, run, queue, runs_suspended, enters_scope, on_failure, max_attempts)
        return run

    return declare


def get_job_kind(name: str) -> JobKind:
    """Return a declared kind; KeyError for one that no code declares."""
    return _kinds[name]


def list_job_kinds() -> list[JobKind]:
    """Return every declared kind by name."""
    return sorted(_kinds.values(), key=lambda kind: kind.name)


def on_enqueue(doorbell: Callable[[], None]) -> None:
    """Register what tells the dispatcher, after a commit, that there is work; the same one again changes nothing."""
    if doorbell not in _doorbells:
        _doorbells.append(doorbell)


def enqueue(
    name: JobName,
    payload: dict[str, Any] | None = None,
    *,
    key: str | None = None,
    run_at: datetime | None = None,
    concerning: UUID | None = None,
) -> UUID:
    """Write a job row in the open transaction: it commits or vanishes with the change that wants it.

    A second job of the same kind and `key` is the first one, even a finished one. `concerning` names the tenant of a
    platform job.
    Effect: after the commit the dispatcher's doorbell rings; a lost ring costs seconds, never a job.
    """
    scope = current_scope()
    model: type[PlatformJob] | type[TenantJob] = TenantJob if scope.is_tenant else PlatformJob
    row = insert(model).values(
        id=new_id(),
        tenant_id=scope.tenant_id or concerning,
        kind=name.value,
        queue=get_job_kind(name).queue.value,
        payload=payload or {},
        key=key,
        run_at=run_at or clock.now(),
        request_id=structlog.contextvars.get_contextvars().get("request_id"),
    )
    # A transaction that wants the same key at the same time waits here for the first one's end.
    job_id: UUID | None = db.session.scalar(row.on_conflict_do_nothing().returning(model.id))
    if job_id is None:
        return db.session.scalars(select(model.id).where(model.kind == name.value, model.key == key)).one()
    add_witness(model.id, job_id)
    after_commit(_ring)
    return job_id


def describe_error(error: Exception) -> str:
    """Return an error as a row keeps it: its kind and its words, short enough to be read."""
    # PostgreSQL holds no NUL and no lone surrogate, and a failure that cannot be written down never ends.
    text = f"{type(error).__name__}: {error}".encode(errors="replace").decode().replace("\x00", "")
    return text if len(text) <= MAX_ERROR_CHARACTERS else f"{text[:MAX_ERROR_CHARACTERS]}…"


def _ring() -> None:
    for doorbell in _doorbells:
        doorbell()
