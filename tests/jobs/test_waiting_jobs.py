"""Jobs of a tenant that must rest wait, and run when it may work again."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.web.hosts import Portal
from tests.jobs import toys
from tests.jobs.rows import job_row
from tests.jobs.toys import Toy, events, queue, ran
from tests.tenant_rows import make_tenant_rows, owner_connection, route_of, set_home, set_tenant
from tests.work import make_jobs_due, run_jobs


def hasten(route: TenantRoute) -> None:
    with platform_scope("test"), transaction():
        db.session.execute(select(func.tenancy.hasten_jobs(route.tenant_id)))


@pytest.mark.parametrize("status", ["suspended", "archived", "failed", "deleting", "deleted", "requested"])
def test_jobs_of_a_tenant_that_rests_wait(app: Portal, status: str) -> None:
    job_id = queue(Toy.NOTE, make_tenant_rows("acme", status=status))
    run_jobs()
    assert (ran(), job_row(job_id).state, job_row(job_id).attempt) == ([], "pending", 0)


@pytest.mark.parametrize("status", ["active", "past_due", "provisioning"])
def test_jobs_of_a_tenant_that_works_run(app: Portal, status: str) -> None:
    queue(Toy.NOTE, make_tenant_rows("acme", status=status))
    run_jobs()
    assert len(ran()) == 1


def test_a_reactivated_tenants_jobs_run_at_once(acme: TenantRoute) -> None:
    set_tenant(acme.tenant_id, status="suspended")
    queue(Toy.NOTE, acme)
    run_jobs()
    set_tenant(acme.tenant_id, status="active")
    assert run_jobs() == 0
    hasten(acme)
    assert (run_jobs(), len(ran())) == (1, 1)


def test_a_suspended_tenants_jobs_run_some_time_after_even_if_nobody_hastens_them(acme: TenantRoute) -> None:
    set_tenant(acme.tenant_id, status="suspended")
    queue(Toy.NOTE, acme)
    run_jobs()
    set_tenant(acme.tenant_id, status="active")
    make_jobs_due()
    assert run_jobs() == 1


def test_a_kind_that_may_runs_while_its_tenant_is_suspended(acme: TenantRoute) -> None:
    set_tenant(acme.tenant_id, status="suspended")
    queue(Toy.NOTE_SUSPENDED, acme)
    run_jobs()
    assert len(ran()) == 1


def test_jobs_of_a_suspended_tenant_do_not_hold_up_anothers(acme: TenantRoute, globex: TenantRoute) -> None:
    set_tenant(acme.tenant_id, status="suspended")
    for _ in range(10):
        queue(Toy.NOTE, acme)
    queue(Toy.NOTE, globex)
    run_jobs()
    assert ran() == [str(globex.tenant_id)]


def test_jobs_of_a_fenced_home_wait_and_then_run(acme: TenantRoute) -> None:
    queue(Toy.NOTE, acme, text="one")
    set_home(acme.tenant_id, state="fenced")
    run_jobs()
    assert ran() == []
    set_home(acme.tenant_id, state="active")
    hasten(acme)
    run_jobs()
    assert events(acme) == ["one"]


def test_a_home_that_is_fenced_under_a_running_job_makes_it_wait(acme: TenantRoute) -> None:
    toys.before_commit.append(lambda: set_home(acme.tenant_id, state="fenced"))
    job_id = queue(Toy.NOTE, acme, text="one")
    run_jobs()
    assert (job_row(job_id).state, job_row(job_id).error) == ("pending", None)
    toys.before_commit.clear()
    set_home(acme.tenant_id, state="active")
    hasten(acme)
    run_jobs()
    assert events(acme) == ["one"]


def test_a_job_follows_its_tenant_to_a_new_epoch(acme: TenantRoute) -> None:
    def move() -> None:
        toys.before_commit.clear()
        with owner_connection() as connection:
            connection.execute("update tenancy.homes set epoch = 2")
            connection.execute("update control.placements set epoch = 2")

    toys.before_commit.append(move)
    queue(Toy.NOTE, acme, text="one")
    run_jobs()
    hasten(acme)
    run_jobs()
    assert events(route_of(acme.tenant_id)) == ["one"]
