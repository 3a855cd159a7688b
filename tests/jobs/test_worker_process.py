"""The real processes: a worker and a dispatcher, killed and stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from redis import Redis
from rq import Worker
from rq.serializers import JSONSerializer

import worker as worker_script
from app.core.config import Settings
from app.core.redis import get_redis
from app.core.tenancy.scopes import TenantRoute
from app.jobs.dispatcher import sweep
from app.jobs.worker import QueueWorker
from app.jobs.workers import find_workforce
from app.web.hosts import Portal
from tests.jobs import toys
from tests.jobs.rows import expire_leases, job_row
from tests.jobs.toys import Toy, events, queue, ran
from tests.servers import environment_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(instance: Settings) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """A function that starts a process behind the queue; each is gone at the end, with its children."""
    children: list[subprocess.Popen[bytes]] = []

    def run(name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.jobs.child", name]
        children.append(subprocess.Popen(command, cwd=ROOT, env=environment_of(instance), start_new_session=True))
        return children[-1]

    yield run
    for child in children:
        child.kill()
        child.wait()


def wait_until(condition: Callable[[], object], seconds: float = 180) -> None:
    # A message that the queue has lost comes again only when its lease of a minute has run out.
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_worker_killed_in_the_middle_of_a_job_costs_nothing(
    app: Portal, acme: TenantRoute, start: Callable[[str], subprocess.Popen[bytes]]
) -> None:
    start("dispatcher")
    worker = start("default")
    job_id = queue(Toy.BLOCK, acme)
    wait_until(lambda: len(ran()) == 1)
    assert ran() == [str(worker.pid)]
    worker.kill()
    start("default")
    expire_leases()
    wait_until(lambda: job_row(job_id).state == "done")
    assert (events(acme), len(ran()), job_row(job_id).attempt) == (["blocked"], 2, 2)


def test_redis_flushed_under_running_processes_loses_nothing(
    app: Portal, acme: TenantRoute, start: Callable[[str], subprocess.Popen[bytes]]
) -> None:
    start("dispatcher")
    job_id = queue(Toy.NOTE, acme)
    wait_until(lambda: job_row(job_id).state == "queued")
    get_redis().flushdb()
    start("default")
    wait_until(lambda: job_row(job_id).state == "done")
    assert len(ran()) == 1


@pytest.mark.parametrize("name", ["default", "operations", "dispatcher"])
def test_a_process_that_is_told_to_stop_ends_well(
    app: Portal, start: Callable[[str], subprocess.Popen[bytes]], name: str
) -> None:
    child = start(name)
    key = "tenantry:queue-marker" if name == "dispatcher" else "rq:workers"
    wait_until(lambda: get_redis().exists(key))
    time.sleep(0.3)
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=30) == 0


def test_a_worker_that_is_told_to_stop_ends_its_job_first(
    app: Portal, start: Callable[[str], subprocess.Popen[bytes]]
) -> None:
    worker = start("default")
    job_id = queue(Toy.BLOCK, payload={"seconds": 2})
    sweep(4)
    wait_until(lambda: len(ran()) == 1)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=60) == 0
    assert (job_row(job_id).state, events()) == ("done", ["blocked"])


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["default", "operations"]])
def test_a_worker_without_one_queue_says_how_it_is_called(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert worker_script.main(arguments) == 2
    assert capsys.readouterr().err == "usage: python worker.py default|operations|dispatcher\n"


@pytest.fixture
def logging_kept() -> Iterator[None]:
    """Give the logs back their place after another application of this process has moved them."""
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


def test_a_worker_without_settings_says_one_sentence(
    monkeypatch: pytest.MonkeyPatch, instance: Settings, capsys: pytest.CaptureFixture[str], logging_kept: None
) -> None:
    for name, value in (environment_of(instance) | {"REDIS_URL": ""}).items():
        monkeypatch.setenv(name, value)
    assert worker_script.main(["default"]) == 1
    assert capsys.readouterr().err.startswith("REDIS_URL is missing;")


def test_a_worker_is_listed_again_after_redis_has_lost_its_memory(app: Portal) -> None:
    worker = QueueWorker(["default"], connection=get_redis(), worker_ttl=30)
    worker.register_birth()
    get_redis().flushdb()
    worker.heartbeat()
    (listed,) = find_workforce().workers
    assert (listed.name, listed.queue, len(Worker.all(connection=get_redis()))) == (worker.name, "default", 1)


def test_a_busy_workers_heart_beats(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.jobs.worker.BEAT_SECONDS", 0.05)
    worker = QueueWorker(["default"], connection=get_redis(), serializer=JSONSerializer, worker_ttl=30)

    def wait_for_beat() -> None:
        before = find_workforce().workers[0].seen_at
        wait_until(lambda: find_workforce().workers[0].seen_at > before)

    toys.before_commit.append(wait_for_beat)
    queue(Toy.NOTE)
    sweep(4)
    with signals_kept():
        worker.work(burst=True, logging_level="WARNING")
    assert len(events()) == 1


def test_a_heart_that_is_not_heard_does_not_stop_the_job(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.jobs.worker.BEAT_SECONDS", 0.01)
    worker = QueueWorker(["default"], connection=get_redis(), worker_ttl=30)
    worker.register_birth()
    worker.connection = Redis(port=1, retry=None)
    with worker._beating():
        time.sleep(0.2)
    assert len(find_workforce().workers) == 1


@contextmanager
def signals_kept() -> Iterator[None]:
    """Give this process its signal handlers back after RQ has put its own there."""
    kept = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, handler in kept.items():
            signal.signal(name, handler)
