"""The daily job that prunes the jobs."""

from __future__ import annotations

from typing import Any

from app.core.job_names import JobName
from app.core.jobs import job
from app.jobs.services import prune_jobs


@job(JobName.JOBS_PRUNE)
def prune(_payload: dict[str, Any]) -> None:
    """Delete the rows of work that finished long ago."""
    prune_jobs()
