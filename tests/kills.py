"""Killing a worker at one statement after another of the owner's, for what moves and copies homes.

A sweep is a program of its own, `python -m tests.moves.kills TIER SERVER STRIDE`: for each point a tenant of its own,
a forked worker that runs the jobs until it kills itself there, and the program itself, which does what is left and
stays warm for the next. One JSON line a point says what came of it; the last is the first point that no statement
reached.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from app import create_app
from app.core.config import Settings
from app.core.tenancy.scopes import Tier, find_scope
from tests.factories import use_cheap_passwords
from tests.operations.toys import expire_leases
from tests.servers import environment_of
from tests.servers.acts import add_annex
from tests.work import make_jobs_due, run_jobs

Outcome = dict[str, Any]


def in_child(work: Callable[[], object]) -> bool:
    """Run something in a forked process; tell whether it was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code <= 0, "a forked worker failed"
    return code < 0


def kill_worker(point: int) -> bool:
    """Run the jobs in a forked worker that dies at a point; tell whether it came that far."""
    return in_child(lambda: (_arm(point), run_jobs(may_fail=True)))


def finish() -> None:
    """Do what a killed worker left, as the worker does that the job is given to next."""
    expire_leases()
    make_jobs_due()
    run_jobs(may_fail=True)
    make_jobs_due()
    run_jobs()


def sweep(kill_once: Callable[[int, Tier, str], Outcome]) -> None:
    """Go from point to point, as the command line says, until the work outlives them."""
    tier, server, stride = sys.argv[1:]
    use_cheap_passwords(pytest.MonkeyPatch())
    with create_app(polls=False).app_context():
        add_annex()
        point, killed = 1, True
        while killed:
            outcome = kill_once(point, Tier(tier), server)
            killed = outcome["killed"]
            print(json.dumps(outcome), flush=True)
            point += int(stride)


def outcomes_of(program: str, instance: Settings, *words: object) -> list[Outcome]:
    """Run a sweep; return what came of each point."""
    command = [sys.executable, "-m", program, *map(str, words)]
    done = subprocess.run(command, env=environment_of(instance), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def _arm(point: int) -> None:
    """Let this process die before the owner's statement number `point`, counted outside of every scope."""
    execute, count = psycopg.Connection.execute, 0

    def trapped(self: psycopg.Connection[Any], *given: Any, **more: Any) -> Any:
        nonlocal count
        count += find_scope() is None
        if count == point and find_scope() is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(self, *given, **more)

    psycopg.Connection.execute = trapped  # type: ignore[method-assign]
