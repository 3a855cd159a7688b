"""A schedule's tick becomes one job, however many schedulers there are and however long none was."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from app.core import clock, jobs
from app.core.job_names import JobName
from app.core.tenancy.scopes import platform_scope
from app.jobs import schedules
from app.jobs.schedules import Schedule, enqueue_due_ticks, forget_old_ticks, list_schedules, register_schedule
from app.web.hosts import Portal
from tests.jobs.rows import job_rows
from tests.jobs.toys import Toy, ran
from tests.tenant_rows import owner_connection
from tests.work import run_jobs

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def hourly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave one schedule only: a toy, every hour."""
    monkeypatch.setattr(schedules, "_schedules", {})
    register_schedule(Schedule(Toy.NOTE, 3600))


def tick(later: timedelta = timedelta()) -> int:
    with clock.shifted(later), platform_scope("test"):
        return enqueue_due_ticks()


def test_ticks_are_counted_from_the_epoch_whenever_the_scheduler_was_started() -> None:
    schedule = Schedule(JobName.MAIL_SEND, 900)
    assert schedule.tick_before(datetime(2026, 5, 14, 9, 44, 59, tzinfo=UTC)) == datetime(
        2026, 5, 14, 9, 30, tzinfo=UTC
    )


def test_a_tick_is_one_job_however_often_it_is_looked_at(app: Portal) -> None:
    assert [tick(), tick()] == [1, 0]
    run_jobs()
    assert ran() == ["platform"]


def test_the_next_tick_is_another_job(app: Portal) -> None:
    assert [tick(), tick(HOUR)] == [1, 1]


def test_missed_ticks_make_one_late_run(app: Portal) -> None:
    assert [tick(-12 * HOUR), tick(), tick()] == [1, 1, 0]


def test_a_scheduler_that_is_behind_brings_no_tick_that_a_later_one_has_covered(app: Portal) -> None:
    assert [tick(), tick(-HOUR), tick(-2 * HOUR)] == [1, 0, 0]


def test_schedulers_at_once_make_one_run(app: Portal) -> None:
    at_once = threading.Barrier(4)

    def turn() -> None:
        with app.app_context():
            at_once.wait()
            tick()

    threads = [threading.Thread(target=turn) for _ in range(4)]
    _ = [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert len(job_rows()) == 1


def test_old_ticks_are_forgotten_and_the_newest_are_not(app: Portal) -> None:
    tick(timedelta(days=-8))
    tick()
    with platform_scope("test"):
        forget_old_ticks()
    with owner_connection() as connection:
        assert connection.execute("select count(*) from control.schedule_ticks").fetchone() == (1,)
    assert tick() == 0


def test_every_registered_schedule_has_a_job_that_runs_it(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert list_schedules()
    for schedule in list_schedules():
        assert jobs.get_job_kind(schedule.job).name == schedule.job
