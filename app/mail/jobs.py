"""The job that sends a mail."""

from __future__ import annotations

from typing import Any

from app.core.job_names import JobName
from app.core.jobs import job
from app.mail.services import send_mail


@job(JobName.MAIL_SEND, runs_suspended=True)
def send(payload: dict[str, Any]) -> None:
    """Send one mail, in the scope in which it was queued."""
    send_mail(payload)
