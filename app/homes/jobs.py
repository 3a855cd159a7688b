"""The daily job that has homes compared with what they should be, and the job of every minute that makes ready ones."""

from __future__ import annotations

from typing import Any

from app.core.actors import Actor
from app.core.job_names import JobName
from app.core.jobs import Queue, job
from app.homes.services import fill_ready_homes, start_check


@job(JobName.HOMES_CHECK)
def check(_payload: dict[str, Any]) -> None:
    """Start the operation that compares them: it has the login that sees into homes."""
    start_check(actor=Actor.system("schedule"))


@job(JobName.HOMES_FILL, queue=Queue.OPERATIONS, enters_scope=False)
def fill(_payload: dict[str, Any]) -> None:
    """Keep as many homes ready as servers want."""
    fill_ready_homes()
