"""The dispatcher: rings, sweeps, hands due jobs to RQ, at most so many of a tenant at once."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from redis import RedisError
from rq import Queue as RqQueue
from sqlalchemy import func, select, text, update

from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import UnavailableError
from app.core.jobs import JobState, PlatformJob
from app.core.redis import get_redis
from app.core.tenancy.scopes import platform_scope
from app.jobs.schedules import enqueue_due_ticks

SWEEP_SECONDS = 1.0
BATCH = 200
QUEUE_LEASE_SECONDS = 60
CARRIER_SECONDS = 3600
DOORBELL = "tenantry:doorbell"
MARKER = "tenantry:queue-marker"
ENTRY_POINT = "app.jobs.running.run_dispatched_job"
_DISPATCH = {
    schema: text(f"select id, tenant_id, kind, queue, token from {schema}.dispatch_jobs(:most, :share, :lease)")  # noqa: S608
    for schema in ("control", "tenancy")
}
log = structlog.get_logger()


def ring() -> None:
    """Wake the dispatcher; with Redis gone, its next sweep finds the job all the same."""
    try:
        pipeline = get_redis().pipeline()
        pipeline.lpush(DOORBELL, "1")
        pipeline.ltrim(DOORBELL, 0, 0)
        pipeline.execute()
    except RedisError as error:
        log.warning("doorbell_silent", error=type(error).__name__)


def run_dispatcher(per_tenant: int, should_stop: Callable[[], bool]) -> None:
    """Sweep whenever the doorbell rings and at least every second, until told to stop."""
    while not should_stop():
        try:
            sweep(per_tenant)
            get_redis().blpop([DOORBELL], timeout=SWEEP_SECONDS)
        except (RedisError, UnavailableError) as error:
            log.warning("sweep_failed", error=type(error).__name__)
            time.sleep(SWEEP_SECONDS)


def sweep(per_tenant: int) -> int:
    """Add due ticks, then hand every due job to RQ; return how many.

    Errors: RedisError when the queue does not answer; the jobs then come again when their lease runs out.
    """
    with platform_scope("dispatcher sweeps"):
        _requeue_after_flush()
        enqueue_due_ticks()
        return sum(_dispatch(schema, per_tenant) for schema in _DISPATCH)


def _requeue_after_flush() -> None:
    """Make queued jobs pending when Redis has lost its memory, instead of waiting for their leases."""
    if get_redis().exists(MARKER):
        return
    with transaction():
        db.session.execute(
            update(PlatformJob).where(PlatformJob.state == JobState.QUEUED).values(state=JobState.PENDING)
        )
        db.session.execute(select(func.tenancy.requeue_jobs()))
    get_redis().set(MARKER, "1")


def _dispatch(schema: str, per_tenant: int) -> int:
    with transaction():
        limits = {"most": BATCH, "share": per_tenant, "lease": QUEUE_LEASE_SECONDS}
        rows = db.session.execute(_DISPATCH[schema], limits).all()
    for job_id, tenant_id, kind, queue, token in rows:
        # A platform job that concerns a tenant still runs for the platform.
        runs_for = str(tenant_id) if schema == "tenancy" else ""
        RqQueue(queue, connection=get_redis(), serializer="json").enqueue_call(
            ENTRY_POINT,
            args=(str(job_id), runs_for),
            job_id=f"{job_id}-{token}",
            description=kind,
            timeout=CARRIER_SECONDS,
            result_ttl=0,
            failure_ttl=CARRIER_SECONDS,
        )
    return len(rows)
