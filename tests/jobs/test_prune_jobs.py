"""Rows of finished work go after a while; what is not finished never does."""

from __future__ import annotations

from datetime import timedelta

from app.core import clock
from app.core.job_names import JobName
from app.core.tenancy.scopes import TenantRoute
from app.jobs.schedules import list_schedules
from app.web.hosts import Portal
from tests.jobs.rows import job_rows
from tests.jobs.toys import Toy, queue
from tests.tenant_rows import owner_connection
from tests.work import run_jobs


def age(state: str, days: int) -> None:
    with owner_connection() as connection:
        for outbox in ("control.outbox", "tenancy.outbox"):
            connection.execute(
                f"update {outbox} set state = %s, finished_at = %s, created_at = %s where kind = 'toy.note'",
                (state, *[clock.now() - timedelta(days=days)] * 2),
            )


def prune() -> list[str]:
    """Run the daily job and return the toys that are left."""
    queue(JobName.JOBS_PRUNE)
    run_jobs()
    return [row.state for row in job_rows() if row.kind == "toy.note"]


def test_done_jobs_stay_a_week(acme: TenantRoute) -> None:
    queue(Toy.NOTE)
    queue(Toy.NOTE, acme)
    age("done", 6)
    assert prune() == ["done", "done"]
    age("done", 8)
    assert prune() == []


def test_failed_jobs_stay_three_months(acme: TenantRoute) -> None:
    queue(Toy.NOTE)
    queue(Toy.NOTE, acme)
    age("failed", 89)
    assert len(prune()) == 2
    age("failed", 91)
    assert prune() == []


def test_what_waits_stays_however_old_it_is(acme: TenantRoute) -> None:
    queue(Toy.NOTE, acme, run_at=clock.now() + timedelta(hours=1))
    age("pending", 900)
    assert prune() == ["pending"]


def test_pruning_is_scheduled_once_a_day(app: Portal) -> None:
    assert {schedule.job: schedule.every_seconds for schedule in list_schedules()}[JobName.JOBS_PRUNE] == 86_400
