"""The job that publishes a home's figures."""

from __future__ import annotations

from typing import Any

from app.core.job_names import JobName
from app.core.jobs import job
from app.members.services.facts import publish_facts


@job(JobName.MEMBERS_PUBLISH_FACTS)
def publish(_payload: dict[str, Any]) -> None:
    """Publish the figures of the running tenant."""
    publish_facts()
