"""A worker that is killed in the middle of a probe: `python -m tests.isolation.killed_probe <check>`."""

from __future__ import annotations

import os
import signal
import sys

from app import create_app
from app.isolation import checks
from app.isolation.canaries import Pair
from app.isolation.outcomes import Check
from tests.work import run_jobs


def die(_pair: Pair) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def arm(name: str) -> None:
    """Put the trap into a check of this process."""
    checks.CHECKS = tuple(
        Check(each.name, each.wall, each.title, die if each.name == name else each.run) for each in checks.CHECKS
    )


if __name__ == "__main__":
    arm(sys.argv[1])
    with create_app(polls=False).app_context():
        run_jobs(may_fail=True)
