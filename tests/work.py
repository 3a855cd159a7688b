"""Running what the outboxes hold, in this process, as the dispatcher and the workers would."""

from __future__ import annotations

import subprocess
import sys
import time
from contextvars import Context

import psycopg
from flask import current_app
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app.core.config import Settings
from app.core.database.owner import connect_as_owner
from app.core.jobs import Queue
from app.core.redis import get_redis
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, Tier
from app.jobs.dispatcher import sweep
from tests.servers import environment_of
from tests.tenant_rows import usual_place

MAX_ROUNDS = 100
ERRORS = "select kind, state, error, id, attempt from {outbox} where error is not null"
OTHER_DATABASES = """
select distinct server, database_name from control.placements where (server, database_name) <> ('main', '')
"""
HASTEN = "update {outbox} set run_at = now() - interval '1 second', lease_until = null where state = 'pending'"


class InProcessWorker(SimpleWorker):
    """RQ's worker without its hold on this process: pytest keeps its signals, and no thread listens for commands."""

    def _install_signal_handlers(self) -> None:
        pass

    def subscribe(self) -> None:
        pass

    def unsubscribe(self) -> None:
        pass


def run_jobs(*, may_fail: bool = False, per_tenant: int | None = None) -> int:
    """Dispatch and run jobs of every queue until none is due; return how many dispatches that took.

    The jobs see no scope and no request of the test. Jobs that wait for a later moment stay: `make_jobs_due()`.
    Schedules do not tick. An error in a job fails the test unless it may.
    """
    app = current_app._get_current_object()
    settings: Settings = app.extensions["tenantry_settings"]

    def work() -> int:
        with app.app_context():
            return _run_until_idle(per_tenant or settings.jobs_per_tenant)

    known = _read_errors()
    count = Context().run(work)
    new = [row[:3] for row in _read_errors() if row not in known]
    assert may_fail or not new, f"jobs failed: {new}"
    return count


def run_beside_workers(instance: Settings, *words: str) -> tuple[int, str, str]:
    """Run a command that waits in a process of its own, as an operator does, and the jobs here."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    with subprocess.Popen(
        command, env=environment_of(instance), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None:
            run_jobs()
            time.sleep(0.1)
        output, errors = process.communicate()
        return process.returncode, output, errors


def make_jobs_due() -> None:
    """Let every pending job be due now: those that wait for a retry, a suspension's end or their time."""
    _in_outboxes(HASTEN)


def job_errors() -> list[tuple[str, str, str]]:
    """Return kind, state and error of every job that carries an error."""
    return [row[:3] for row in _read_errors()]


def _read_errors() -> list[tuple]:
    return [row for cursor in _in_outboxes(ERRORS) for row in cursor.fetchall()]


def _in_outboxes(statement: str) -> list[psycopg.Cursor]:
    """Execute a statement for both outboxes of the main database, and for each tenant's under `--tenants-in database`.

    Elsewhere a home in another database is a test's own, and may be unfinished or out of reach.
    """
    settings: Settings = current_app.extensions["tenantry_settings"]
    with connect_as_owner(settings, MAIN_DATABASE) as main:
        found = [main.execute(statement.format(outbox=outbox)) for outbox in ("control.outbox", "tenancy.outbox")]
        others = main.execute(OTHER_DATABASES).fetchall() if usual_place[0] is Tier.DATABASE else []
    for server, database in others:
        with connect_as_owner(settings, DatabaseAddress(server, database)) as other:
            found.append(other.execute(statement.format(outbox="tenancy.outbox")))
    return found


def _run_until_idle(per_tenant: int) -> int:
    total = 0
    for _round in range(MAX_ROUNDS):
        count = sum(sweep(per_tenant).values())
        for queue in Queue:
            worker = InProcessWorker([queue.value], connection=get_redis(), serializer=JSONSerializer)
            worker.work(burst=True, logging_level="WARNING")
        if count == 0:
            return total
        total += count
    raise AssertionError("jobs still come after many rounds; does one enqueue itself?")
