"""Jobs run in their tenant's scope, once, from their rows."""

from __future__ import annotations

from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.web.hosts import Portal
from tests.jobs.rows import job_row
from tests.jobs.toys import Toy, events, queue, ran
from tests.work import run_jobs


def test_a_job_of_a_tenant_runs_in_its_scope_and_writes_into_its_home(acme: TenantRoute, globex: TenantRoute) -> None:
    queue(Toy.NOTE, acme, text="one")
    assert run_jobs() == 1
    assert ran() == [f"{acme.tenant_id} one"]
    assert (events(acme), events(globex), events()) == (["one"], [], [])


def test_a_job_of_the_platform_runs_in_the_platforms_scope(app: Portal) -> None:
    job_id = queue(Toy.NOTE, text="one")
    run_jobs()
    assert (ran(), events()) == (["platform one"], ["one"])
    assert (job_row(job_id).state, job_row(job_id).attempt, job_row(job_id).lease_until) == ("done", 1, None)


def test_jobs_of_both_queues_run(app: Portal) -> None:
    queue(Toy.NOTE, text="default")
    queue(Toy.OPERATE, text="operations")
    run_jobs()
    assert sorted(ran()) == ["platform default", "platform operations"]


def test_a_job_sees_no_scope_of_the_test_that_runs_it(acme: TenantRoute) -> None:
    queue(Toy.NOTE, text="one")
    with platform_scope("the test's own"):
        run_jobs()
    assert ran() == ["platform one"]
