"""The job that forgets unconfirmed sign-ups."""

from __future__ import annotations

from typing import Any

from app.core.actors import Actor
from app.core.job_names import JobName
from app.core.jobs import job
from app.onboarding.services import expire_requests


@job(JobName.ONBOARDING_EXPIRE_REQUESTS)
def expire(_payload: dict[str, Any]) -> None:
    """End the requests that nobody confirmed in 24 hours."""
    expire_requests(actor=Actor.system("expiry of sign-ups"))
