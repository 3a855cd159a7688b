"""A running job keeps its lease; a killed one loses it."""

from __future__ import annotations

import time

import psycopg
import pytest

from app.core.database.session import engines
from app.core.tenancy.scopes import TenantRoute
from app.jobs import lease
from app.jobs.lease import held_lease, renew_lease
from app.web.hosts import Portal
from tests.jobs import toys
from tests.jobs.rows import expire_leases, job_row, job_rows
from tests.jobs.toys import Toy, queue
from tests.work import run_jobs

KILL = """
select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tenantry_platform' and datname = %s
"""


@pytest.fixture(autouse=True)
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.05)


def wait_for_renewal(seconds: float = 10) -> None:
    """Return when the only job's lease has grown."""
    before = job_rows()[0].lease_until
    deadline = time.monotonic() + seconds
    while job_rows()[0].lease_until <= before:
        assert time.monotonic() < deadline, "the lease was not renewed"
        time.sleep(0.02)


def test_the_lease_of_a_running_job_grows(acme: TenantRoute) -> None:
    toys.before_commit.append(wait_for_renewal)
    queue(Toy.NOTE, acme)
    run_jobs()


def test_the_lease_of_a_platform_job_grows(app: Portal) -> None:
    toys.before_commit.append(wait_for_renewal)
    queue(Toy.NOTE)
    run_jobs()


def test_a_lease_outlives_an_outage_of_the_database(acme: TenantRoute, superuser_url: str, worker_id: str) -> None:
    database = f"tenantry_{worker_id}"

    def break_connections() -> None:
        wait_for_renewal()
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            connection.execute(f"alter database {database} connection limit 0")
            connection.execute(KILL, [database])
            time.sleep(0.5)
            connection.execute(f"alter database {database} connection limit -1")
        wait_for_renewal()

    toys.before_commit.append(break_connections)
    queue(Toy.NOTE, acme)
    run_jobs()
    engines().dispose()  # What lies broken in the pool is not the next test's.


def test_a_lease_is_prolonged_only_by_its_token_and_while_the_job_runs(acme: TenantRoute) -> None:
    answers: list[bool] = []
    job_id = queue(Toy.NOTE, acme)

    def ask() -> None:
        with held_lease(None, job_id, 1):
            pass

    ask()
    run_jobs()
    answers += [renew_lease(acme.tenant_id, job_id, 1), renew_lease(None, job_id, 1)]
    assert (answers, job_row(job_id).state) == ([False, False], "done")


def test_renewing_ends_when_the_lease_is_lost(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    job_id = queue(Toy.NOTE)
    real = lease.renew_lease
    monkeypatch.setattr(lease, "renew_lease", lambda *held: asked.append(real(*held)) or asked[-1])
    with held_lease(None, job_id, 7):
        time.sleep(0.5)
    expire_leases()
    assert asked == [False]
