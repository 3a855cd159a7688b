"""Running one job: claim it, hold its lease, run its handler in its scope, write down the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from rq import get_current_job
from sqlalchemy import func, select, update

from app.core import clock
from app.core.database.session import db, registry
from app.core.database.transactions import on_commit_guard, transaction
from app.core.errors import TenantryError
from app.core.jobs import MAX_ATTEMPTS, JobKind, JobState, PlatformJob, TenantJob, get_job_kind
from app.core.tenancy.errors import HomeUnavailableError
from app.core.tenancy.scopes import Login, TenantRoute, find_scope, platform_scope, tenant_scope
from app.jobs.lease import LEASE_SECONDS, held_lease

WAIT_SECONDS = 30
RUNNING_STATUSES = frozenset({"provisioning", "active", "past_due"})
GONE_STATUSES = frozenset({"deleting", "deleted"})
log = structlog.get_logger()


class LeaseLostError(TenantryError):
    """Another worker has this job now; nothing of this run commits."""


@dataclass(frozen=True)
class JobTicket:
    """One dispatch of one job."""

    job_id: UUID
    tenant_id: UUID | None
    kind: str
    token: int

    @property
    def model(self) -> type[PlatformJob] | type[TenantJob]:
        return PlatformJob if self.tenant_id is None else TenantJob


_ticket: ContextVar[JobTicket | None] = ContextVar("tenantry_job", default=None)


def run_dispatched_job(job_id: str, tenant_id: str) -> None:
    """Run the job that RQ carried here; RQ's own id and description tell the token and the kind."""
    carrier = get_current_job()
    assert carrier is not None  # noqa: S101  # RQ calls this, nobody else.
    token = int(carrier.id.rpartition("-")[2])
    run_job(JobTicket(UUID(job_id), UUID(tenant_id) if tenant_id else None, str(carrier.description), token))


def run_job(ticket: JobTicket) -> None:
    """Run one dispatch of a job; a second dispatch, or one that came too late, does nothing."""
    structlog.contextvars.bind_contextvars(job_id=str(ticket.job_id), job=ticket.kind)
    try:
        kind = get_job_kind(ticket.kind)
        route = registry().find_route(ticket.tenant_id) if ticket.tenant_id else None
        if ticket.tenant_id is not None and not _may_run(kind, route):
            _postpone(ticket)
            return
        _run_claimed(ticket, kind, route)
    finally:
        structlog.contextvars.clear_contextvars()


def _may_run(kind: JobKind, route: TenantRoute | None) -> bool:
    if route is None or route.placement is None or route.status in GONE_STATUSES:
        return False
    if route.home_state == "fenced":
        return kind.runs_fenced
    return kind.runs_suspended or route.status in RUNNING_STATUSES


def _postpone(ticket: JobTicket) -> None:
    with platform_scope("job waits"), transaction():
        db.session.execute(
            select(func.tenancy.postpone_job(ticket.tenant_id, ticket.job_id, ticket.token, WAIT_SECONDS))
        )


def _run_claimed(ticket: JobTicket, kind: JobKind, route: TenantRoute | None) -> None:
    try:
        with _job_scope(route, "job claimed"):
            payload = _claim(ticket)
        if payload is None:
            return
        with held_lease(ticket.tenant_id, ticket.job_id, ticket.token):
            _run_handler(ticket, kind, route, payload)
    except HomeUnavailableError:
        # Fenced between the look and the claim: the lease runs out and the job comes again.
        log.info("job_waits_for_home")


def _run_handler(ticket: JobTicket, kind: JobKind, route: TenantRoute | None, payload: dict[str, Any]) -> None:
    running = _ticket.set(ticket)
    try:
        if kind.enters_scope:
            with _job_scope(route, f"job {kind.name}"):
                kind.run(payload)
        else:
            kind.run(payload)
    except LeaseLostError:
        log.warning("job_lease_lost")
        return
    except Exception as error:
        log.exception("job_failed")
        _ticket.reset(running)
        _record_failure(ticket, kind, route, payload, f"{type(error).__name__}: {error}")
        return
    _ticket.reset(running)
    with _job_scope(route, "job done"), transaction():
        _finish(ticket, state=JobState.DONE, finished_at=clock.now(), lease_until=None)


def _claim(ticket: JobTicket) -> dict[str, Any] | None:
    model = ticket.model
    with transaction():
        statement = (
            update(model)
            .where(model.id == ticket.job_id, model.token == ticket.token, model.state == JobState.QUEUED)
            .values(
                state=JobState.RUNNING,
                attempt=model.attempt + 1,
                started_at=clock.now(),
                lease_until=clock.now() + timedelta(seconds=LEASE_SECONDS),
            )
            .returning(model.payload)
            .execution_options(synchronize_session=False)
        )
        payload: dict[str, Any] | None = db.session.scalar(statement)
    return payload


def _record_failure(
    ticket: JobTicket, kind: JobKind, route: TenantRoute | None, payload: dict[str, Any], error: str
) -> None:
    with _job_scope(route, "job failed"), transaction():
        model = ticket.model
        attempt = db.session.scalar(select(model.attempt).where(model.id == ticket.job_id))
        if (attempt or 0) < MAX_ATTEMPTS:
            wait = timedelta(seconds=2 ** (attempt or 1))
            _finish(ticket, state=JobState.PENDING, run_at=clock.now() + wait, lease_until=None, error=error)
            return
        _finish(ticket, state=JobState.FAILED, finished_at=clock.now(), lease_until=None, error=error)
        if kind.on_failure is not None:
            kind.on_failure(payload, error)


def _finish(ticket: JobTicket, **values: Any) -> None:
    model = ticket.model
    statement = (
        update(model)
        .where(model.id == ticket.job_id, model.token == ticket.token, model.state == JobState.RUNNING)
        .values(**values)
        .returning(model.id)
        .execution_options(synchronize_session=False)
    )
    if db.session.scalar(statement) is None:
        raise LeaseLostError("Another worker has this job now.")


@contextmanager
def _job_scope(route: TenantRoute | None, reason: str) -> Iterator[None]:
    scope = platform_scope(reason) if route is None else tenant_scope(route, reason=reason)
    with scope:
        yield


def _refuse_lost_lease() -> None:
    """Let no transaction of a job commit after the job was given to another worker."""
    ticket, scope = _ticket.get(), find_scope()
    if ticket is None or scope is None:
        return
    # A step in a home cannot see a platform job's row; there the step's marker refuses the second commit.
    if ticket.tenant_id != scope.tenant_id and scope.login is not Login.OWNER:
        return
    model = ticket.model
    held = (
        select(model.id)
        .where(model.id == ticket.job_id, model.token == ticket.token, model.state == JobState.RUNNING)
        .with_for_update(read=True)
    )
    if db.session.scalar(held) is None:
        raise LeaseLostError("Another worker has this job now.")


on_commit_guard(_refuse_lost_lease)
