"""The daily job that has homes compared with what they should be."""

from __future__ import annotations

from typing import Any

from app.core.actors import Actor
from app.core.job_names import JobName
from app.core.jobs import job
from app.homes.services import start_check


@job(JobName.HOMES_CHECK)
def check(_payload: dict[str, Any]) -> None:
    """Start the operation that compares them: it has the login that sees into homes."""
    start_check(actor=Actor.system("schedule"))
