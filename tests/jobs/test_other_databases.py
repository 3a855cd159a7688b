"""Jobs of tenants whose homes lie elsewhere: written beside the home, found there, and run like any other."""

from __future__ import annotations

import pytest

from app.core.database.owner import owner_connection
from app.core.jobs import JobState
from app.core.redis import get_redis
from app.core.tenancy.scopes import MAIN_DATABASE, Placement, TenantRoute, Tier, platform_scope
from app.jobs import outboxes, schedules
from app.jobs.dispatcher import MARKER, sweep
from app.jobs.doorbell import await_ring
from app.jobs.lease import renew_lease
from app.jobs.outboxes import Rounds
from app.jobs.services import prune_jobs
from app.web.hosts import Portal
from tests.homes.placing import PLACES, make_home
from tests.jobs.toys import Toy, queue, ran
from tests.tenant_rows import insert_tenant, set_home, write_placement
from tests.work import run_jobs

ELSEWHERE = [(tier, server) for tier, server in PLACES if (tier, server) != (Tier.POOL, "main")]


@pytest.fixture(autouse=True)
def no_schedules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "_schedules", {})


def rows_at(route: TenantRoute, columns: str = "state") -> list[tuple]:
    with owner_connection(route.placement.address) as connection:
        return connection.execute(f"select {columns} from tenancy.outbox order by id").fetchall()


def change_rows(route: TenantRoute, change: str) -> None:
    with owner_connection(route.placement.address) as connection:
        connection.execute(f"update tenancy.outbox set {change}")


@pytest.mark.parametrize(("tier", "server"), ELSEWHERE)
def test_a_job_runs_wherever_its_tenants_home_lies(app: Portal, annex: str, tier: Tier, server: str) -> None:
    acme = make_home("acme", tier, server)
    queue(Toy.NOTE, acme, text="bear")
    assert rows_at(acme) == [("pending",)]
    run_jobs()
    assert (ran(), rows_at(acme)) == ([f"{acme.tenant_id} bear"], [("done",)])


def test_a_flush_of_redis_loses_nothing_elsewhere(app: Portal, annex: str) -> None:
    acme = make_home("acme", Tier.DATABASE, annex)
    queue(Toy.NOTE, acme)
    sweep(4)
    assert rows_at(acme) == [("queued",)]
    get_redis().flushdb()
    run_jobs()
    assert rows_at(acme) == [("done",)]


def test_a_job_waits_while_its_home_elsewhere_is_fenced(app: Portal, annex: str) -> None:
    acme = make_home("acme", Tier.DATABASE, annex)
    queue(Toy.NOTE, acme)
    set_home(acme.tenant_id, state="fenced")
    sweep(4)
    run_jobs()
    assert (rows_at(acme), ran()) == ([("pending",)], [])
    assert rows_at(acme, "lease_until > clock_timestamp()") == [(True,)]


def test_a_lease_elsewhere_is_renewed_there(app: Portal, annex: str) -> None:
    acme = make_home("acme", Tier.DATABASE, annex)
    job_id = queue(Toy.NOTE, acme)
    change_rows(acme, "state = 'running', token = 3, lease_until = clock_timestamp()")
    assert [renew_lease(acme.tenant_id, job_id, token) for token in (2, 3)] == [False, True]
    assert rows_at(acme, "lease_until > clock_timestamp()") == [(True,)]


def test_old_jobs_are_pruned_everywhere(app: Portal, annex: str) -> None:
    acme = make_home("acme", Tier.SCHEMA, annex)
    queue(Toy.NOTE, acme)
    change_rows(acme, f"state = '{JobState.DONE}', finished_at = now() - interval '8 days'")
    with platform_scope("test"):
        prune_jobs()
    assert rows_at(acme) == []


def test_a_database_that_is_away_stops_no_other(app: Portal, annex: str) -> None:
    write_placement(insert_tenant("lost"), Placement("nowhere", Tier.DATABASE, "home", 1, "t_lost"))
    acme = make_home("acme", Tier.DATABASE, annex)
    queue(Toy.NOTE, acme)
    get_redis().delete(MARKER)
    run_jobs()
    assert rows_at(acme) == [("done",)]


def test_a_commit_rings_at_its_own_database(app: Portal, annex: str) -> None:
    acme = make_home("acme", Tier.DATABASE, annex)
    await_ring(0.01)
    queue(Toy.NOTE, acme)
    assert await_ring(1) == {acme.placement.address}
    assert await_ring(0.01) == set()
    queue(Toy.NOTE)
    assert await_ring(1) == {MAIN_DATABASE}


def test_a_database_is_looked_at_when_it_rings_or_its_time_has_come(
    app: Portal, annex: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(outboxes.time, "monotonic", lambda: now)
    acme, rounds = make_home("acme", Tier.DATABASE, annex).placement.address, Rounds()
    assert rounds.due(set()) == [MAIN_DATABASE, acme]
    rounds.note(acme, 1)
    assert (rounds.due(set()), rounds.due({acme})) == ([MAIN_DATABASE], [MAIN_DATABASE, acme])
    now += outboxes.HOT_SECONDS
    assert rounds.due(set()) == [MAIN_DATABASE, acme]
    rounds.note(acme, 0)
    now += outboxes.REST_SECONDS - 1
    assert rounds.due(set()) == [MAIN_DATABASE]
    now += 1
    assert rounds.due(set()) == [MAIN_DATABASE, acme]
