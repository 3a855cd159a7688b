"""What is done to jobs by people and by housekeeping; running them is the worker's matter."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select, update

from app.audit.services import Target, record_event, unaudited
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db, registry
from app.core.database.transactions import after_commit, transaction
from app.core.errors import StateError
from app.core.job_names import JobName
from app.core.jobs import JobState, PlatformJob
from app.core.tenancy.scopes import MAIN_DATABASE
from app.jobs import queries
from app.jobs.doorbell import ring
from app.jobs.index import forget_gone_databases
from app.jobs.models import IndexedJob
from app.jobs.outboxes import execute_at, find_address
from app.jobs.schedules import forget_old_ticks

KEPT_DONE = timedelta(days=7)
KEPT_FAILED = timedelta(days=90)


def retry_job(job_id: UUID, *, actor: Actor) -> None:
    """Run a failed job again, with all its attempts.

    Errors: NotFoundError; StateError unless it has failed, or when it runs an operation, which is retried itself.
    """
    with transaction():
        job = queries.get_job(job_id)
        if job.kind == JobName.OPERATIONS_RUN:
            raise StateError("This job runs an operation; retry the operation instead.")
        if not (_retry_platforms(job_id) if job.is_platforms else _retry_tenants(job)):
            raise StateError("Only a job that has failed can be retried.")
        record_event(
            AuditAction.JOB_RETRIED, target=Target("job", job_id, job.kind), actor=actor, tenant_id=job.tenant_id
        )
        address = MAIN_DATABASE if job.is_platforms or job.tenant_id is None else find_address(job.tenant_id)
        after_commit(lambda: ring(address))


@unaudited("housekeeping: the rows of finished work and of ticks that nobody asks for again")
def prune_jobs() -> None:
    """Delete done jobs after a week, failed ones after three months, and old ticks of schedules."""
    done_before, failed_before = clock.now() - KEPT_DONE, clock.now() - KEPT_FAILED
    old = or_(
        and_(PlatformJob.state == JobState.DONE, PlatformJob.finished_at < done_before),
        and_(PlatformJob.state == JobState.FAILED, PlatformJob.finished_at < failed_before),
    )
    with transaction():
        db.session.execute(delete(PlatformJob).where(old))
        forget_old_ticks()
        forget_gone_databases()
    for address in registry().list_databases():
        with transaction():
            execute_at(address, select(func.tenancy.prune_jobs(done_before, failed_before)))


def _retry_platforms(job_id: UUID) -> bool:
    statement = (
        update(PlatformJob)
        .where(PlatformJob.id == job_id, PlatformJob.state == JobState.FAILED)
        .values(state=JobState.PENDING, attempt=0, run_at=func.now(), lease_until=None, error=None, finished_at=None)
        .returning(PlatformJob.id)
    )
    return db.session.scalar(statement.execution_options(synchronize_session=False)) is not None


def _retry_tenants(job: queries.JobRow) -> bool:
    assert job.tenant_id is not None  # noqa: S101  # A job of a tenant's outbox has one.
    again = select(func.tenancy.retry_job(job.tenant_id, job.id))
    retried = bool(execute_at(find_address(job.tenant_id), again).scalar())
    if retried and job.as_of is not None:
        shown = update(IndexedJob).where(IndexedJob.tenant_id == job.tenant_id, IndexedJob.id == job.id)
        db.session.execute(shown.values(state=JobState.PENDING, attempt=0, error=None, finished_at=None))
    return retried
