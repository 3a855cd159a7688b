"""The job that sends a mail."""

from __future__ import annotations

from typing import Any

from app.core.job_names import JobName
from app.core.jobs import job
from app.mail.services import send_mail

# With the pauses doubling up to a quarter of an hour, a mail outlives an hour's outage of its server.
MAX_ATTEMPTS = 12


@job(JobName.MAIL_SEND, runs_suspended=True, max_attempts=MAX_ATTEMPTS)
def send(payload: dict[str, Any]) -> None:
    """Send one mail, in the scope in which it was queued."""
    send_mail(payload)
