"""A job that fails is tried again after a pause, and in the end it is failed, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock, jobs
from app.core.tenancy.scopes import TenantRoute
from app.web.hosts import Portal
from tests.jobs import toys
from tests.jobs.rows import expire_leases, job_row
from tests.jobs.toys import Toy, events, queue, ran
from tests.tenant_rows import owner_connection
from tests.work import make_jobs_due, run_jobs


def use_up_attempts(count: int = 3) -> None:
    for _attempt in range(count):
        run_jobs(may_fail=True)
        make_jobs_due()


def test_a_failure_is_written_down_and_waits(acme: TenantRoute) -> None:
    job_id = queue(Toy.FAIL, acme)
    run_jobs(may_fail=True)
    row = job_row(job_id)
    assert (row.state, row.attempt, row.error, row.lease_until) == ("pending", 1, "RuntimeError: toy broke", None)
    assert timedelta(0) < row.run_at - clock.now() <= timedelta(seconds=2)
    assert events(acme) == []


def test_the_pause_grows_with_each_attempt(app: Portal) -> None:
    job_id = queue(Toy.FAIL)
    use_up_attempts(1)
    run_jobs(may_fail=True)
    assert job_row(job_id).run_at - clock.now() > timedelta(seconds=2)


def test_without_attempts_left_a_job_is_failed_and_says_so_once(acme: TenantRoute) -> None:
    job_id = queue(Toy.FAIL, acme)
    use_up_attempts(5)
    assert (job_row(job_id).state, job_row(job_id).attempt) == ("failed", 3)
    assert (toys.failures, events(acme)) == (["RuntimeError: toy broke"], ["gave up"])


def test_a_job_that_failed_once_and_then_worked_is_done(app: Portal) -> None:
    turns = iter([True])

    def break_once() -> None:
        if next(turns, False):
            raise RuntimeError("once")

    toys.before_commit.append(break_once)
    job_id = queue(Toy.NOTE, text="one")
    use_up_attempts(1)
    run_jobs()
    assert (job_row(job_id).state, job_row(job_id).error, events()) == ("done", None, ["one"])


def test_a_job_ends_even_when_its_failure_cannot_be_dealt_with(app: Portal) -> None:
    job_id = queue(Toy.FAIL, payload={"breaks_twice": True})
    use_up_attempts()
    row = job_row(job_id)
    assert (row.state, row.error) == ("failed", "RuntimeError: toy broke Then: RuntimeError: toy broke twice")
    assert events() == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a\x00b", "RuntimeError: ab"),
        ("\ud800", "RuntimeError: ?"),
        ("x" * 5000, "RuntimeError: " + "x" * 1986 + "…"),
    ],
    ids=["nul", "surrogate", "long"],
)
def test_any_error_can_be_written_down(app: Portal, monkeypatch: pytest.MonkeyPatch, text: str, error: str) -> None:
    def fail() -> None:
        raise RuntimeError(text)

    toys.before_commit.append(fail)
    job_id = queue(Toy.NOTE)
    run_jobs(may_fail=True)
    assert job_row(job_id).error == error


def test_a_job_that_kills_its_worker_each_time_is_failed_without_being_tried_again(acme: TenantRoute) -> None:
    job_id = queue(Toy.FAIL, acme)
    with owner_connection() as connection:
        connection.execute("update tenancy.outbox set attempt = 3")
    run_jobs(may_fail=True)
    assert (job_row(job_id).state, toys.failures) == ("failed", ["The worker died in each of its attempts."])


def test_a_kind_that_this_release_does_not_know_waits_for_one_that_does(
    app: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(Toy.NOTE)
    with monkeypatch.context() as patch:
        patch.delitem(jobs._kinds, Toy.NOTE)
        run_jobs()
    expire_leases()
    run_jobs()
    assert len(ran()) == 1
