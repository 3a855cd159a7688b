"""The dispatcher: ticks, sweeps, hands due jobs to RQ, at most so many of a tenant at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from redis import RedisError
from rq import Queue as RqQueue
from sqlalchemy import func, select, text, update

from app.core.database.session import db, registry
from app.core.database.transactions import transaction
from app.core.errors import ConfigError, UnavailableError
from app.core.jobs import JobState, PlatformJob
from app.core.redis import get_redis
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, platform_scope
from app.jobs.doorbell import await_ring, leave_sign
from app.jobs.index import index_jobs
from app.jobs.outboxes import Rounds, execute_at
from app.jobs.schedules import enqueue_due_ticks

SWEEP_SECONDS = 1.0
# What one queue holds at most: few enough for a worker to come to each before the queue's lease runs out.
QUEUED_AT_MOST = 50
QUEUE_LEASE_SECONDS = 60
CARRIER_SECONDS = 3600
MARKER = "tenantry:queue-marker"
ENTRY_POINT = "app.jobs.running.run_dispatched_job"
_DISPATCHED = "id, tenant_id, kind, queue, token"
_DISPATCH = {
    schema: text(f"select {_DISPATCHED} from {schema}.dispatch_jobs(:most, :share, :lease)")  # noqa: S608  # Constants.
    for schema in ("control", "tenancy")
}
log = structlog.get_logger()


def run_dispatcher(per_tenant: int, should_stop: Callable[[], bool]) -> None:
    """Tick and sweep whenever the doorbell rings and at least every second, until told to stop."""
    rounds, rung = Rounds(), set[DatabaseAddress]()
    while not should_stop():
        try:
            with platform_scope("schedules tick"):
                enqueue_due_ticks()
            for address, job_count in sweep(per_tenant, rounds.due(rung)).items():
                rounds.note(address, job_count)
            leave_sign()
            rung = await_ring(SWEEP_SECONDS)
        except (RedisError, UnavailableError) as error:
            log.warning("sweep_failed", error=type(error).__name__)
            time.sleep(SWEEP_SECONDS)


def sweep(per_tenant: int, addresses: list[DatabaseAddress] | None = None) -> dict[DatabaseAddress, int]:
    """Hand due jobs to RQ, as many as the queues and each tenant's share take; return how many from each database.

    Without addresses every database is looked at. One that does not answer keeps its jobs, and the others go on.

    Errors: RedisError when the queue does not answer; the jobs then come again when their lease runs out.
    """
    addresses = addresses if addresses is not None else [MAIN_DATABASE, *_others()]
    with platform_scope("dispatcher sweeps"):
        _requeue_after_flush()
        counts = {address: _sweep_tenants(address, per_tenant) for address in addresses}
        counts[MAIN_DATABASE] = counts.get(MAIN_DATABASE, 0) + _dispatch("control", MAIN_DATABASE, per_tenant)
    return counts


def _others() -> list[DatabaseAddress]:
    return [address for address in registry().list_databases() if address != MAIN_DATABASE]


def _sweep_tenants(address: DatabaseAddress, per_tenant: int) -> int:
    try:
        count = _dispatch("tenancy", address, per_tenant)
        if address != MAIN_DATABASE:
            index_jobs(address)
    except (UnavailableError, ConfigError):
        if address == MAIN_DATABASE:
            raise
        log.warning("database_not_swept", address=str(address))
        return 0
    return count


def _requeue_after_flush() -> None:
    """Make queued jobs pending when Redis has lost its memory, instead of waiting for their leases."""
    if not get_redis().set(MARKER, "1", nx=True):
        return
    with transaction():
        db.session.execute(
            update(PlatformJob)
            .where(PlatformJob.state == JobState.QUEUED)
            .values(state=JobState.PENDING, lease_until=None)
        )
    for address in (MAIN_DATABASE, *_others()):
        _requeue(address)


def _requeue(address: DatabaseAddress) -> None:
    try:
        with transaction():
            execute_at(address, select(func.tenancy.requeue_jobs()))
    except (UnavailableError, ConfigError):
        log.warning("database_not_swept", address=str(address))  # Its jobs come again when their lease runs out.


def _dispatch(schema: str, address: DatabaseAddress, per_tenant: int) -> int:
    with transaction():
        limits = {"most": QUEUED_AT_MOST, "share": per_tenant, "lease": QUEUE_LEASE_SECONDS}
        rows: list[Any] = [*execute_at(address, _DISPATCH[schema], limits)]
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
