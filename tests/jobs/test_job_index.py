"""The jobs page over all databases: what lies in others is listed from a summary that says how old it is."""

from __future__ import annotations

import pytest

from app.core.database.owner import owner_connection
from app.core.jobs import JobState
from app.core.tenancy.scopes import Placement, TenantRoute, Tier, platform_scope
from app.jobs import index, queries, schedules
from app.jobs.dispatcher import sweep
from app.jobs.queries import JobFilter
from app.jobs.services import prune_jobs, retry_job
from app.web.hosts import Portal
from tests.factories import SETUP, make_staff_user, sign_in_as_ada
from tests.homes.placing import make_home
from tests.jobs.toys import Toy, queue
from tests.tenant_rows import insert_tenant, write_placement
from tests.tenant_rows import owner_connection as main_owner


@pytest.fixture(autouse=True)
def no_schedules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "_schedules", {})


@pytest.fixture
def acme(app: Portal, annex: str) -> TenantRoute:
    return make_home("acme", Tier.DATABASE, annex)


def change_rows(route: TenantRoute, change: str) -> None:
    with owner_connection(route.placement.address) as connection:
        connection.execute(f"update tenancy.outbox set {change}")


def listed(**wanted: object) -> list[tuple[str, str]]:
    with platform_scope("test"):
        return [(job.kind, job.stage) for job in queries.list_jobs(JobFilter(**wanted)).rows]


def test_a_job_elsewhere_is_listed_counted_and_shown_as_of_the_last_sweep(app: Portal, acme: TenantRoute) -> None:
    job_id = queue(Toy.NOTE, acme)
    assert listed() == []
    sweep(4)
    assert listed() == listed(tenant_id=acme.tenant_id) == listed(kind=Toy.NOTE) == [(Toy.NOTE, "queued")]
    assert (listed(stage="queued"), listed(stage="failed")) == ([(Toy.NOTE, "queued")], [])
    with platform_scope("test"):
        assert queries.count_jobs(acme.tenant_id)["default"]["queued"] == 1
        job = queries.get_job(job_id)
        assert (job.is_platforms, job.as_of) == (False, queries.find_oldest_summary())
        assert job.as_of is not None


def test_pages_say_how_old_the_summary_is(app: Portal, acme: TenantRoute) -> None:
    job_id = queue(Toy.NOTE, acme)
    make_staff_user()
    ada = sign_in_as_ada(app)
    assert "Jobs in other databases as of" not in ada.get("/jobs").text
    sweep(4)
    assert "Jobs in other databases as of" in ada.get("/jobs").text
    assert "As of" in ada.get(f"/jobs/{job_id}").text


def test_a_failed_job_elsewhere_is_retried_and_shown_so_at_once(app: Portal, acme: TenantRoute) -> None:
    job_id = queue(Toy.NOTE, acme)
    change_rows(acme, f"state = '{JobState.FAILED}', error = 'broken', finished_at = now()")
    sweep(4)
    assert listed(stage="failed") == [(Toy.NOTE, "failed")]
    with platform_scope("test"):
        retry_job(job_id, actor=SETUP)
    assert listed() == [(Toy.NOTE, "pending")]
    sweep(4)
    assert listed() == [(Toy.NOTE, "queued")]


def test_the_summary_is_written_anew_and_comes_back_when_it_is_lost(app: Portal, acme: TenantRoute) -> None:
    queue(Toy.NOTE, acme)
    sweep(4)
    with main_owner() as connection:
        connection.execute("delete from control.job_index")
    assert listed() == []
    sweep(4)
    assert listed() == [(Toy.NOTE, "queued")]
    with owner_connection(acme.placement.address) as connection:
        connection.execute("delete from tenancy.outbox")
    sweep(4)
    assert listed() == []


def test_only_the_newest_done_jobs_are_written_down(
    app: Portal, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MOST_DONE", 2)
    ids = [queue(Toy.NOTE, acme) for _ in range(3)]
    change_rows(acme, f"state = '{JobState.DONE}', finished_at = now()")
    sweep(4)
    with platform_scope("test"):
        assert [job.id for job in queries.list_jobs(JobFilter()).rows] == ids[:0:-1]


def test_the_job_of_a_tenant_that_has_moved_is_listed_once(app: Portal, annex: str, acme: TenantRoute) -> None:
    queue(Toy.NOTE, acme)
    sweep(4)
    with main_owner() as connection:
        connection.execute("update control.job_index set server = 'elsewhere'")
    sweep(4)
    with main_owner() as connection:
        assert connection.execute("select server from control.job_index").fetchall() == [(annex,)]


def test_a_database_that_is_away_keeps_its_lines_and_one_that_is_gone_loses_them(
    app: Portal, acme: TenantRoute
) -> None:
    queue(Toy.NOTE, acme)
    sweep(4)
    write_placement(insert_tenant("lost"), Placement("nowhere", Tier.DATABASE, "home", 1, "t_lost"))
    with main_owner() as connection:
        connection.execute(
            "insert into control.job_index select tenant_id, gen_random_uuid(), 'nowhere', 't_lost', "
            + "kind, queue, state, attempt, run_at, lease_until, error, request_id, created_at, "
            + "started_at, finished_at, as_of from control.job_index"
        )
    sweep(4)
    assert len(listed()) == 2
    with main_owner() as connection:
        connection.execute("delete from control.placements where server = 'nowhere'")
    with platform_scope("test"):
        prune_jobs()
    assert listed() == [(Toy.NOTE, "queued")]
