"""Running one job: claim it, hold its lease, run its handler in its scope, write down the outcome."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from rq import get_current_job
from sqlalchemy import func, select, update

from app.core import clock
from app.core.database.session import db, registry
from app.core.database.transactions import transaction
from app.core.database.versions import serves
from app.core.jobs import JobKind, JobState, describe_error, get_job_kind
from app.core.tenancy.errors import HomeUnavailableError
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, Scope, TenantRoute, platform_scope, tenant_scope
from app.jobs.doorbell import ring
from app.jobs.lease import held_lease, lease_end
from app.jobs.outboxes import execute_at, find_address
from app.jobs.tickets import JobTicket, LeaseLostError, carried

SUSPENDED_WAIT_SECONDS = 60
FENCED_WAIT_SECONDS = 5
MAX_BACKOFF_SECONDS = 900
RUNNING_STATUSES = frozenset({"provisioning", "active", "past_due"})
GONE_STATUSES = frozenset({"deleting", "deleted"})
log = structlog.get_logger()


@dataclass(frozen=True)
class Claim:
    """What the row told the worker that has claimed it."""

    payload: dict[str, Any]
    attempt: int
    request_id: str | None


def run_dispatched_job(job_id: str, tenant_id: str) -> None:
    """Run the job that RQ carried here; RQ's own id and description tell the token and the kind."""
    carrier = get_current_job()
    assert carrier is not None  # noqa: S101  # RQ calls this, nobody else.
    token = int(carrier.id.rpartition("-")[2])
    ticket = JobTicket(UUID(job_id), UUID(tenant_id) if tenant_id else None, str(carrier.description), token)
    # What a job leaves in its context, such as a scope, is gone before the next one.
    copy_context().run(run_job, ticket)


def run_job(ticket: JobTicket) -> None:
    """Run one dispatch of a job; a second dispatch, or one that came too late, does nothing."""
    with structlog.contextvars.bound_contextvars(job_id=str(ticket.job_id), job=ticket.kind):
        kind = get_job_kind(ticket.kind)
        route = registry().find_route(ticket.tenant_id) if ticket.tenant_id else None
        if ticket.tenant_id is not None and not _may_run(kind, route):
            is_fenced = route is not None and route.home_state == "fenced"
            _postpone(ticket, FENCED_WAIT_SECONDS if is_fenced else SUSPENDED_WAIT_SECONDS)
            return
        try:
            _claim_and_run(ticket, kind, route)
        except LeaseLostError:
            log.warning("job_lease_lost")
        except HomeUnavailableError:
            # Fenced or moved since the look; the next dispatch looks again.
            _postpone(ticket, FENCED_WAIT_SECONDS)
        ring(_address_of(route))  # A place in the queue and in the tenant's share is free.


def _may_run(kind: JobKind, route: TenantRoute | None) -> bool:
    if route is None or route.placement is None or route.home_state != "active" or route.status in GONE_STATUSES:
        return False
    if not serves(route.home_version):
        return False
    return kind.runs_suspended or route.status in RUNNING_STATUSES


def _postpone(ticket: JobTicket, wait_seconds: int) -> None:
    assert ticket.tenant_id is not None  # noqa: S101  # Only a tenant's job waits.
    with platform_scope("job waits"), transaction():
        wait = select(func.tenancy.postpone_job(ticket.tenant_id, ticket.job_id, ticket.token, wait_seconds))
        execute_at(find_address(ticket.tenant_id), wait)


def _claim_and_run(ticket: JobTicket, kind: JobKind, route: TenantRoute | None) -> None:
    with _job_scope(route, "job claimed"):
        claim = _claim(ticket)
    if claim is None:
        return
    with (
        structlog.contextvars.bound_contextvars(request_id=claim.request_id),
        held_lease(ticket.tenant_id, ticket.job_id, ticket.token),
    ):
        _run_claimed(ticket, kind, route, claim)


def _claim(ticket: JobTicket) -> Claim | None:
    model = ticket.model
    statement = (
        update(model)
        .where(model.id == ticket.job_id, model.token == ticket.token, model.state == JobState.QUEUED)
        .values(state=JobState.RUNNING, attempt=model.attempt + 1, started_at=clock.now(), lease_until=lease_end())
        .returning(model.payload, model.attempt, model.request_id)
        .execution_options(synchronize_session=False)
    )
    with transaction():
        row = db.session.execute(statement).first()
    return None if row is None else Claim(row[0], row[1], row[2])


def _run_claimed(ticket: JobTicket, kind: JobKind, route: TenantRoute | None, claim: Claim) -> None:
    if claim.attempt > kind.max_attempts:
        _record_failure(ticket, kind, route, claim, "The worker died in each of its attempts.")
        return
    try:
        with carried(ticket):
            _run_handler(kind, route, claim.payload)
    except LeaseLostError:
        raise
    except Exception as error:
        if isinstance(error, HomeUnavailableError) and ticket.tenant_id is not None:
            raise
        log.exception("job_failed", attempt=claim.attempt)
        _record_failure(ticket, kind, route, claim, describe_error(error))
        return
    with _job_scope(route, "job done"), transaction():
        _finish(ticket, state=JobState.DONE, finished_at=clock.now(), lease_until=None, error=None)


def _run_handler(kind: JobKind, route: TenantRoute | None, payload: dict[str, Any]) -> None:
    if not kind.enters_scope:
        kind.run(payload)
        return
    with _job_scope(route, f"job {kind.name}"):
        kind.run(payload)


def _record_failure(ticket: JobTicket, kind: JobKind, route: TenantRoute | None, claim: Claim, error: str) -> None:
    with _job_scope(route, "job failed"):
        if claim.attempt < kind.max_attempts:
            wait = timedelta(seconds=min(2**claim.attempt, MAX_BACKOFF_SECONDS))
            with transaction():
                run_at = func.clock_timestamp() + wait
                _finish(ticket, state=JobState.PENDING, run_at=run_at, lease_until=None, error=error)
            return
        try:
            _fail(ticket, kind, claim, error)
        except LeaseLostError:
            raise
        except Exception as consequence:
            # The job must end all the same, or it would come again for ever; a retry on the jobs page runs it anew.
            log.exception("job_on_failure_failed")
            _fail(ticket, None, claim, f"{error} Then: {describe_error(consequence)}")


def _fail(ticket: JobTicket, kind: JobKind | None, claim: Claim, error: str) -> None:
    with transaction():
        _finish(ticket, state=JobState.FAILED, finished_at=clock.now(), lease_until=None, error=error)
        if kind is not None and kind.on_failure is not None:
            kind.on_failure(claim.payload, error)


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


def _address_of(route: TenantRoute | None) -> DatabaseAddress:
    return MAIN_DATABASE if route is None or route.placement is None else route.placement.address


def _job_scope(route: TenantRoute | None, reason: str) -> AbstractContextManager[Scope]:
    return platform_scope(reason) if route is None else tenant_scope(route, reason=reason)
