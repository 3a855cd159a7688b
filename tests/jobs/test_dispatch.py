"""The dispatcher hands out due jobs fairly and loses none."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from pydantic import SecretStr
from rq import Queue as RqQueue
from sqlalchemy import func, select

from app import create_app
from app.core import clock
from app.core.config import Settings
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import UnavailableError
from app.core.ids import new_id
from app.core.redis import get_redis
from app.core.tenancy.scopes import MAIN_DATABASE, Login, TenantRoute, platform_scope
from app.jobs import dispatcher, schedules
from app.jobs.dispatcher import run_dispatcher, sweep
from app.web.hosts import Portal
from tests.isolation.toy import connect
from tests.jobs.handing import handed
from tests.jobs.rows import expire_leases, job_row, job_rows
from tests.jobs.toys import Toy, queue, ran
from tests.work import run_jobs


@pytest.fixture(autouse=True)
def no_schedules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "_schedules", {})


def queued() -> Counter[object]:
    return Counter(row.tenant_id for row in job_rows() if row.state == "queued")


def test_a_tenant_has_only_its_share_in_flight(acme: TenantRoute, globex: TenantRoute) -> None:
    for _ in range(9):
        queue(Toy.NOTE, acme)
    queue(Toy.NOTE, globex)
    assert [handed(4), handed(4)] == [5, 0]
    assert queued() == {acme.tenant_id: 4, globex.tenant_id: 1}


def test_a_tenant_that_waits_gets_its_turn_when_a_place_is_free(acme: TenantRoute) -> None:
    for number in range(9):
        queue(Toy.NOTE, acme, text=str(number))
    run_jobs(per_tenant=2)
    assert ran() == [f"{acme.tenant_id} {number}" for number in range(9)]


def test_the_platforms_own_jobs_have_no_share(app: Portal) -> None:
    for _ in range(9):
        queue(Toy.NOTE)
    assert handed(4) == 9


def test_platform_jobs_that_concern_a_tenant_are_counted_to_it(app: Portal) -> None:
    tenant_id = new_id()
    for _ in range(9):
        queue(Toy.NOTE, concerning=tenant_id)
    assert handed(4) == 4


def test_a_queue_holds_a_bounded_number_and_every_tenant_comes_first_once(
    acme: TenantRoute, globex: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "QUEUED_AT_MOST", 3)
    for _ in range(4):
        queue(Toy.NOTE, acme)
    queue(Toy.NOTE, globex)
    assert [handed(4), handed(4)] == [3, 0]
    assert queued() == {acme.tenant_id: 2, globex.tenant_id: 1}


def test_a_full_queue_does_not_hold_up_the_other(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "QUEUED_AT_MOST", 1)
    for kind in (Toy.NOTE, Toy.NOTE, Toy.OPERATE):
        queue(kind)
    sweep(4)
    assert Counter(row.kind for row in job_rows() if row.state == "queued") == {Toy.NOTE: 1, Toy.OPERATE: 1}


def test_a_flushed_redis_loses_nothing(acme: TenantRoute) -> None:
    queue(Toy.NOTE, acme, text="home")
    queue(Toy.NOTE, text="control")
    assert handed(4) == 2
    get_redis().flushdb()
    assert run_jobs() == 2
    assert sorted(ran()) == sorted([f"{acme.tenant_id} home", "platform control"])


def test_a_message_that_was_lost_comes_again_when_its_lease_has_run_out(acme: TenantRoute) -> None:
    job_id = queue(Toy.NOTE, acme)
    sweep(4)
    RqQueue("default", connection=get_redis()).empty()
    assert run_jobs() == 0
    expire_leases()
    assert (run_jobs(), job_row(job_id).token, job_row(job_id).attempt) == (1, 2, 1)


def test_a_job_for_later_waits(acme: TenantRoute) -> None:
    queue(Toy.NOTE, acme, run_at=clock.now() + timedelta(hours=1))
    with platform_scope("test"), transaction():
        db.session.execute(select(func.tenancy.hasten_jobs(acme.tenant_id)))
    assert run_jobs() == 0


def test_a_dispatcher_passes_over_what_another_one_is_handing_out(
    app: Portal, acme: TenantRoute, instance: Settings
) -> None:
    sweep(4)
    queue(Toy.NOTE, acme)
    counts: list[int] = []

    def turn() -> None:
        with app.app_context():
            counts.append(handed(4))

    with connect(instance, Login.PLATFORM) as other:
        assert other.execute("select count(*) from tenancy.dispatch_jobs(50, 4, 60)").fetchone() == (1,)
        thread = threading.Thread(target=turn)
        thread.start()
        thread.join(timeout=20)
        other.rollback()
    thread.join()
    assert counts == [0]
    assert (handed(4), job_rows()[0].token) == (1, 1)


def test_dispatchers_at_once_hand_each_job_out_once(app: Portal, acme: TenantRoute) -> None:
    sweep(20)
    for _ in range(30):
        queue(Toy.NOTE, acme)
    counts: list[int] = []
    at_once = threading.Barrier(3)

    def turn() -> None:
        with app.app_context():
            at_once.wait()
            counts.append(handed(20))

    threads = [threading.Thread(target=turn) for _ in range(3)]
    _ = [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert (sum(counts), Counter(row.token for row in job_rows())) == (20, {1: 20, 0: 10})


def test_a_sweep_that_cannot_reach_the_main_database_says_so(app: Portal, instance: Settings) -> None:
    sweep(4)
    nowhere = SecretStr("postgresql://tenantry_platform@127.0.0.1:1/nowhere")
    cut_off = create_app(instance.model_copy(update={"database_platform_url": nowhere}), polls=False)
    with cut_off.app_context(), pytest.raises(UnavailableError):
        sweep(4, [MAIN_DATABASE])


def test_the_dispatcher_outlives_an_outage_of_redis(
    app: Portal, acme: TenantRoute, redis_down: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(Toy.NOTE, acme)
    monkeypatch.setattr(dispatcher, "SWEEP_SECONDS", 0.01)
    turns = iter([False, False, True])
    run_dispatcher(4, lambda: next(turns))
    monkeypatch.undo()
    run_jobs()
    assert len(ran()) == 1


def test_a_ring_wakes_the_dispatcher(app: Portal) -> None:
    queue(Toy.NOTE)
    assert get_redis().llen("tenantry:doorbell") == 1
    turns = iter([False, True])
    run_dispatcher(4, lambda: next(turns))
    assert (get_redis().llen("tenantry:doorbell"), queued()) == (0, {None: 1})
