"""The job that archives clones whose day has come, and reminds the owners of others."""

from __future__ import annotations

from typing import Any

from app.clones.operation import ACTOR
from app.clones.services import watch_clones
from app.core.job_names import JobName
from app.core.jobs import job


@job(JobName.CLONES_WATCH)
def watch(_payload: dict[str, Any]) -> None:
    """Archive and remind."""
    watch_clones(actor=ACTOR)
