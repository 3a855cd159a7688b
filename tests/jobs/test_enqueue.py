"""A job row commits or vanishes with the change that wants it, once a key, whether or not Redis answers."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import pytest
from redis import Redis

from app.core.database.transactions import transaction
from app.core.ids import new_id
from app.core.jobs import enqueue
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.web.hosts import Portal
from tests.jobs.rows import job_row, job_rows
from tests.jobs.toys import Toy, queue, ran
from tests.work import run_jobs


def test_a_job_vanishes_with_its_transaction(app: Portal) -> None:
    with platform_scope("test"), suppress(ZeroDivisionError), transaction():
        enqueue(Toy.NOTE)
        raise ZeroDivisionError
    assert job_rows() == []


def test_a_job_is_enqueued_only_inside_a_transaction(app: Portal) -> None:
    with platform_scope("test"), pytest.raises(ScopeError):
        enqueue(Toy.NOTE)
    assert job_rows() == []


def test_the_same_key_is_the_same_job_even_after_it_ran(app: Portal) -> None:
    first = queue(Toy.NOTE, key="one")
    second = queue(Toy.NOTE, key="one")
    run_jobs()
    assert first == second == queue(Toy.NOTE, key="one")
    assert (run_jobs(), len(ran())) == (0, 1)


def test_the_same_key_of_another_kind_is_another_job(app: Portal) -> None:
    assert queue(Toy.NOTE, key="one") != queue(Toy.OPERATE, key="one")


def test_the_same_key_of_another_tenant_is_another_job(acme: TenantRoute, globex: TenantRoute) -> None:
    assert queue(Toy.NOTE, acme, key="one") != queue(Toy.NOTE, globex, key="one")
    run_jobs()
    assert len(ran()) == 2


def test_two_requests_with_one_key_at_once_make_one_job(app: Portal, acme: TenantRoute) -> None:
    ids: list[object] = []
    at_once = threading.Barrier(4)

    def ask() -> None:
        with app.app_context():
            at_once.wait()
            ids.append(queue(Toy.NOTE, acme, key="one"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    _ = [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert (len(ids), len(set(ids)), len(job_rows())) == (4, 1, 1)


def test_a_platform_job_may_concern_a_tenant_and_still_runs_for_the_platform(app: Portal) -> None:
    tenant_id = new_id()
    job_id = queue(Toy.NOTE, text="one", concerning=tenant_id)
    run_jobs()
    assert (job_row(job_id).tenant_id, ran()) == (tenant_id, ["platform one"])


def test_without_redis_the_change_succeeds_and_the_job_runs_later(
    app: Portal, acme: TenantRoute, redis_down: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(Toy.NOTE, acme, text="one")
    monkeypatch.undo()
    assert (run_jobs(), ran()) == (1, [f"{acme.tenant_id} one"])


def test_a_silent_redis_holds_a_request_up_for_a_moment_only(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        known: Redis = app.extensions["tenantry_doorbell"]
        monkeypatch.setitem(known.connection_pool.connection_kwargs, "port", silent.getsockname()[1])
        known.connection_pool.disconnect()
        before = time.monotonic()
        queue(Toy.NOTE)
    known.connection_pool.disconnect()
    assert time.monotonic() - before < 10  # The queue's own client would wait for half a minute.
