"""Jobs of two tenants in turn, in all tiers, on a worker that forks for each and on one that does not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from rq import SimpleWorker, Worker
from rq.serializers import JSONSerializer

from app.core.jobs import Queue
from app.core.redis import get_redis
from app.core.tenancy.scopes import TenantRoute, Tier, find_scope
from app.jobs import schedules
from app.jobs.dispatcher import sweep
from app.web.hosts import Portal
from tests.homes.placing import make_home
from tests.isolation.grounds import SERVERS
from tests.jobs.toys import Toy, events, queue, ran

JOBS = 5


@pytest.fixture
def signals(annex: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give this process its signal handlers back after RQ has put its own there; no schedule ticks."""
    monkeypatch.setattr(schedules, "_schedules", {})
    kept = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    yield
    for name, handler in kept.items():
        signal.signal(name, handler)


def queue_in_turn(routes: list[TenantRoute]) -> list[str]:
    """Queue jobs that say whose they are, tenant after tenant; return what they have to write down."""
    for number in range(JOBS):
        for route in routes:
            queue(Toy.NOTE, route, text=f"{number} {os.getpid()}")
    return sorted(f"{route.tenant_id} {number} {os.getpid()}" for route in routes for number in range(JOBS))


@pytest.mark.parametrize("worker", [Worker, SimpleWorker])
@pytest.mark.parametrize("tier", list(Tier))
def test_each_job_runs_for_its_own_tenant(app: Portal, signals: None, tier: Tier, worker: type[Worker]) -> None:
    acme, globex = (make_home(name, tier, SERVERS[tier]) for name in ("acme", "globex"))
    expected = queue_in_turn([acme, globex])
    sweep(JOBS)
    worker([Queue.DEFAULT.value], connection=get_redis(), serializer=JSONSerializer).work(
        burst=True, logging_level="WARNING"
    )
    assert sorted(ran()) == expected
    for route in (acme, globex):
        assert sorted(events(route)) == [f"{number} {os.getpid()}" for number in range(JOBS)]
    assert find_scope() is None
