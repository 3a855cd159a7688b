"""The token of a dispatch: whoever holds an older one commits nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.core.tenancy.scopes import TenantRoute
from app.jobs.dispatcher import sweep
from app.jobs.running import run_job
from app.jobs.tickets import JobTicket
from app.web.hosts import Portal
from tests.jobs import toys
from tests.jobs.rows import expire_leases, job_row
from tests.jobs.toys import Toy, events, queue, ran
from tests.tenant_rows import owner_connection
from tests.work import run_jobs


@pytest.fixture(params=["platform", "tenant"])
def route(request: pytest.FixtureRequest, app: Portal) -> TenantRoute | None:
    return request.getfixturevalue("acme") if request.param == "tenant" else None


def in_thread(app: Portal, work: Callable[[], object]) -> None:
    """Run something beside the job, as another process would."""

    def run() -> None:
        with app.app_context():
            work()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def lose_lease_once(app: Portal) -> Callable[[], None]:
    """Return a hook that lets the job be dispatched anew while it runs for the first time."""
    turns = iter([True])

    def lose() -> None:
        if next(turns, False):
            expire_leases()
            in_thread(app, lambda: sweep(4))

    return lose


def test_a_worker_that_was_thought_dead_commits_nothing(app: Portal, route: TenantRoute | None) -> None:
    toys.before_commit.append(lose_lease_once(app))
    job_id = queue(Toy.NOTE, route, text="one")
    run_jobs()
    assert len(ran()) == 2
    assert events(route) == ["one"]
    assert (job_row(job_id).state, job_row(job_id).token, job_row(job_id).attempt) == ("done", 2, 2)


def test_a_lost_lease_is_no_failure_of_the_job(app: Portal, route: TenantRoute | None) -> None:
    toys.before_commit.append(lose_lease_once(app))
    job_id = queue(Toy.NOTE, route)
    run_jobs()
    assert job_row(job_id).error is None


def test_a_failure_after_a_lost_lease_is_not_written_down(app: Portal, route: TenantRoute | None) -> None:
    lose = lose_lease_once(app)
    turns = iter([True])

    def break_once() -> None:
        lose()
        if next(turns, False):
            raise RuntimeError("too late")

    toys.before_commit.append(break_once)
    job_id = queue(Toy.NOTE, route)
    run_jobs()
    assert (job_row(job_id).state, job_row(job_id).error) == ("done", None)


def test_a_last_failure_after_a_lost_lease_is_dealt_with_once(app: Portal, route: TenantRoute | None) -> None:
    toys.before_commit.append(lose_lease_once(app))
    job_id = queue(Toy.FAIL, route)
    with owner_connection() as connection:
        for outbox in ("control.outbox", "tenancy.outbox"):
            connection.execute(f"update {outbox} set attempt = 2")
    run_jobs(may_fail=True)
    assert job_row(job_id).state == "failed"
    assert toys.failures == ["The worker died in each of its attempts."]


def test_a_message_that_arrives_twice_runs_once(route: TenantRoute | None) -> None:
    job_id = queue(Toy.NOTE, route)
    run_jobs()
    run_job(JobTicket(job_id, route.tenant_id if route else None, Toy.NOTE, token=1))
    assert len(ran()) == 1


def test_an_old_message_does_not_run_what_was_dispatched_anew(route: TenantRoute | None) -> None:
    job_id = queue(Toy.NOTE, route)
    sweep(4)
    expire_leases()
    sweep(4)
    run_job(JobTicket(job_id, route.tenant_id if route else None, Toy.NOTE, token=1))
    assert (ran(), job_row(job_id).state) == ([], "queued")


def test_what_runs_after_a_job_in_the_same_process_is_not_held_to_its_lease(app: Portal) -> None:
    toys.before_commit.append(lose_lease_once(app))
    queue(Toy.NOTE)
    run_jobs()
    queue(Toy.NOTE, text="after")
    assert run_jobs() == 1
