"""The job of every minute that measures the servers."""

from __future__ import annotations

from typing import Any

from app.core.job_names import JobName
from app.core.jobs import job
from app.servers.services import measure_servers


@job(JobName.SERVERS_MEASURE)
def measure(_payload: dict[str, Any]) -> None:
    """Look at each server once."""
    measure_servers()
