"""Queueing a mail and sending it."""

from __future__ import annotations

from typing import Any

from app.audit.services import unaudited
from app.core.database.transactions import transaction
from app.core.job_names import JobName
from app.core.jobs import enqueue
from app.core.tenancy.scopes import current_scope
from app.mail.composers import get_composer
from app.mail.delivery import deliver
from app.mail.names import MailName
from app.mail.rendering import message_id_of, render_message


@unaudited("the use case that wants the mail records its own event")
def queue_mail(name: MailName, payload: dict[str, str], *, key: str) -> None:
    """Queue a mail in the open transaction; it is sent if that commits, once a key.

    Shape: the payload holds ids and link serials for the composer, never a secret; the key holds the link serial.
    Effect: a mail file, or a message to the SMTP server.
    """
    # Two kinds of mail may share a row and its serial; their jobs have one kind and must not share a key.
    full_key = f"{name.value}:{key}"
    with transaction():
        enqueue(JobName.MAIL_SEND, {**payload, "mail": name.value, "key": full_key}, key=full_key)


@unaudited("delivery; the use case that wanted the mail has recorded its own event")
def send_mail(payload: dict[str, Any]) -> None:
    """Compose, render and deliver a queued mail; nothing is sent when its composer has nothing to say.

    Errors: OSError and smtplib.SMTPException when it cannot be delivered now; the job's next attempt tries again.
    Effect: a mail file, or a message to the SMTP server; at least once, always with the same Message-ID.
    """
    # The transaction ends before the delivery: a slow mail server never holds up a fence, and a worker that has lost
    # the job's lease is refused here, before it sends.
    with transaction():
        mail = get_composer(payload["mail"])(payload)
        message = render_message(mail, message_id_of(payload["key"], current_scope().tenant_id)) if mail else None
    if message is not None:
        deliver(message)
