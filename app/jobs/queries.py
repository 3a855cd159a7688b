"""Reading jobs: the platform's from its outbox, tenants' through functions that show no payload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Text, case, func, literal, select, text

from app.core import clock
from app.core.database.session import db, registry
from app.core.errors import NotFoundError
from app.core.jobs import JobState, PlatformJob
from app.jobs.index import LISTED
from app.jobs.models import IndexedJob
from app.jobs.running import RUNNING_STATUSES
from app.web.tables import Cursor, Page, build_page, decode_cursor

PAGE_ROWS = 50
EXPORT_ROWS = 10_000
_Model = type[PlatformJob] | type[IndexedJob]
_SELECT = f"select {', '.join(LISTED)} from tenancy."  # noqa: S608  # A constant list of columns.
_LIST = text(f"{_SELECT}list_jobs(:stage, :kind, :tenant_id, :beyond, :backward, :most)")
_FIND = text(f"{_SELECT}find_job(:id)")
_COUNT = text("select queue, stage, jobs from tenancy.count_jobs(:tenant_id)")


@dataclass(frozen=True)
class JobRow:
    """One job as the pages show it; `is_platforms` tells in whose outbox it lies.

    `as_of` is set for one in another database, which is shown as it was then.
    """

    tenant_id: UUID | None
    id: UUID
    kind: str
    queue: str
    state: str
    attempt: int
    run_at: datetime
    lease_until: datetime | None
    error: str | None
    request_id: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    is_platforms: bool
    operation_id: UUID | None = None
    as_of: datetime | None = None

    @property
    def stage(self) -> str:
        """Return the state, told apart by why a pending job is not running."""
        now = clock.now()
        if self.state != JobState.PENDING:
            return self.state
        if self.lease_until is not None and self.lease_until > now:
            return "waiting"
        if self.run_at > now:
            return "retrying" if self.error else "scheduled"
        return self.state

    @property
    def wait_reason(self) -> str | None:
        """Say why a waiting job waits: what its tenant or its home is now; None for a job that waits for no tenant."""
        if self.stage != "waiting":
            return None
        route = registry().find_route(self.tenant_id) if self.tenant_id else None
        if route is None:
            return "the tenant is gone"
        if route.status not in RUNNING_STATUSES:
            return f"the tenant is {route.status.replace('_', ' ')}"
        if route.home_state != "active":
            return "the tenant’s home is under maintenance"
        return "the tenant works again; it runs within a minute"

    @property
    def is_final(self) -> bool:
        return self.state in (JobState.DONE, JobState.FAILED)

    @property
    def slug(self) -> str | None:
        """Return the slug of the tenant that the job belongs to or concerns, if it still has one."""
        route = registry().find_route(self.tenant_id) if self.tenant_id else None
        return route.slug if route else None


@dataclass(frozen=True)
class JobFilter:
    """Which jobs a list shows."""

    stage: str | None = None
    kind: str | None = None
    tenant_id: UUID | None = None


@dataclass(frozen=True)
class QueueCounts:
    """How many jobs of one queue are in each stage; done ones are not counted."""

    queue: str
    by_stage: dict[str, int]

    def __getitem__(self, stage: str) -> int:
        return self.by_stage.get(stage, 0)


def list_jobs(wanted: JobFilter, cursor: str | None = None) -> Page[JobRow]:
    """Return a page of jobs of every outbox, newest first."""
    place = decode_cursor(cursor, "", (UUID,))
    rows = _fetch(wanted, place, PAGE_ROWS + 1)
    return build_page(rows, limit=PAGE_ROWS, cursor=place, sort="", values=lambda row: (row.id,))


def iterate_jobs(wanted: JobFilter) -> Iterator[JobRow]:
    """Yield the newest jobs for an export, up to its limit."""
    place, left = None, EXPORT_ROWS
    while left > 0 and (rows := _fetch(wanted, place, min(left, 1000))):
        yield from rows
        place, left = Cursor((rows[-1].id,)), left - len(rows)


def get_job(job_id: UUID) -> JobRow:
    """Return one job of any outbox.

    Errors: NotFoundError.
    """
    mine = db.session.execute(select(*_platform_columns()).where(PlatformJob.id == job_id)).first()
    if mine is not None:
        return _platform_row(mine)
    theirs = db.session.execute(_FIND, {"id": job_id}).first()
    if theirs is not None:
        return JobRow(**theirs._mapping, is_platforms=False)
    elsewhere = db.session.execute(select(*_indexed_columns()).where(IndexedJob.id == job_id)).first()
    if elsewhere is None:
        raise NotFoundError("There is no such job.")
    return JobRow(**elsewhere._mapping, is_platforms=False)


def find_oldest_summary() -> datetime | None:
    """Return since when the jobs of other databases may have changed unseen; None without any."""
    return db.session.scalar(select(func.min(IndexedJob.as_of)))


def count_jobs(tenant_id: UUID | None = None) -> dict[str, QueueCounts]:
    """Count what is not done by queue and stage, of one tenant if named."""
    theirs = db.session.execute(_COUNT, {"tenant_id": tenant_id}).all()
    counts: dict[str, QueueCounts] = {}
    for queue, name, jobs in (*_count(PlatformJob, tenant_id), *theirs, *_count(IndexedJob, tenant_id)):
        by_stage = counts.setdefault(queue, QueueCounts(queue, {})).by_stage
        by_stage[name] = by_stage.get(name, 0) + jobs
    return counts


def _fetch(wanted: JobFilter, place: Cursor | None, most: int) -> list[JobRow]:
    """Return the nearest jobs beyond a place, nearest first; ids are ordered by time."""
    backward = place is not None and place.backward
    beyond = place.values[0] if place is not None else None
    platforms = _narrowed(PlatformJob, _platform_columns(), wanted, beyond, most, backward=backward)
    elsewhere = _narrowed(IndexedJob, _indexed_columns(), wanted, beyond, most, backward=backward)
    rows = [_platform_row(row) for row in db.session.execute(platforms)]
    rows += [JobRow(**row._mapping, is_platforms=False) for row in db.session.execute(elsewhere)]
    given = {"stage": wanted.stage, "kind": wanted.kind, "tenant_id": wanted.tenant_id}
    limits = {"beyond": beyond, "backward": backward, "most": most}
    theirs = db.session.execute(_LIST, given | limits)
    rows += [JobRow(**row._mapping, is_platforms=False) for row in theirs]
    return sorted(rows, key=lambda row: row.id, reverse=not backward)[:most]


def _narrowed(
    model: _Model, columns: list[Any], wanted: JobFilter, beyond: Any, most: int, *, backward: bool
) -> Select[*tuple[Any, ...]]:
    statement = select(*columns).limit(most).order_by(model.id if backward else model.id.desc())
    if beyond is not None:
        statement = statement.where(model.id > beyond if backward else model.id < beyond)
    if wanted.stage is not None:
        statement = statement.where(_is_in_stage(model, wanted.stage))
    if wanted.kind is not None:
        statement = statement.where(model.kind == wanted.kind)
    if wanted.tenant_id is not None:
        statement = statement.where(model.tenant_id == wanted.tenant_id)
    return statement


def _count(model: _Model, tenant_id: UUID | None) -> Sequence[Any]:
    stage = _stage(model)
    statement = select(model.queue, stage, func.count()).where(model.state != JobState.DONE)
    if tenant_id is not None:
        statement = statement.where(model.tenant_id == tenant_id)
    return db.session.execute(statement.group_by(model.queue, stage)).all()


def _indexed_columns() -> list[Any]:
    return [getattr(IndexedJob, name) for name in (*LISTED, "as_of")]


def _platform_columns() -> list[ColumnElement[Any]]:
    columns: list[Any] = [getattr(PlatformJob, name) for name in LISTED]
    return [*columns, PlatformJob.payload["operation_id"].astext.label("operation_id")]


def _platform_row(row: Row[Any]) -> JobRow:
    values: dict[str, Any] = dict(row._mapping)
    operation_id = values.pop("operation_id")
    return JobRow(**values, is_platforms=True, operation_id=UUID(operation_id) if operation_id else None)


def _is_in_stage(model: _Model, stage: str) -> ColumnElement[bool]:
    # As conditions on the columns, so that the index of failed jobs serves; an expression would read every row.
    if stage == "scheduled":
        return _is_later(model)
    return (model.state == stage) & ~_is_later(model) if stage == JobState.PENDING else model.state == stage


def _stage(model: _Model) -> ColumnElement[str]:
    return case((_is_later(model), literal("scheduled", Text())), else_=model.state)


def _is_later(model: _Model) -> ColumnElement[bool]:
    return (model.state == JobState.PENDING) & (model.run_at > func.clock_timestamp())
