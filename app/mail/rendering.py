"""From a mail to the message that travels: subject, text and HTML from its templates, headers that stay the same."""

from __future__ import annotations

import hashlib
import re
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from flask import current_app
from jinja2 import Environment, StrictUndefined

from app.core import clock
from app.core.runtime import current_settings
from app.mail.composers import Mail

# Lines of 7-bit characters pass every mail server unchanged.
POLICY = SMTP.clone(cte_type="7bit")
_SPACE = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


def message_id_of(key: str, tenant_id: UUID | None) -> str:
    """Derive the Message-ID, without its angle brackets, that a mail has however often it is sent.

    Source: RFC 5322, section 3.6.4: unique by a digest on the left, our domain on the right.
    """
    settings = current_settings()
    # Keys are unique within a tenant only, and two tenants' mails must never replace each other.
    digest = hashlib.sha256(f"{tenant_id or 'platform'}/{key}".encode()).hexdigest()
    return f"{digest}@{settings.base_domain.partition(':')[0]}"


def render_message(mail: Mail, message_id: str) -> EmailMessage:
    """Render a mail's three templates into one message with a text and an HTML part.

    Errors: jinja2.UndefinedError when a template wants what the composer did not give; half a link is never sent.
    Source: RFC 3834, section 5: Auto-Submitted keeps vacation programs from answering.
    """
    settings = current_settings()
    message = EmailMessage(policy=POLICY)
    message["From"] = settings.mail_from
    message["To"] = mail.to
    message["Subject"] = _SPACE.sub(" ", _render(mail, "subject.txt")).strip()
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{message_id}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_BLANK_LINES.sub("\n\n", _render(mail, "body.txt")).strip() + "\n")
    message.add_alternative(_render(mail, "body.html"), subtype="html")
    return message


def mail_templates(environment: Environment) -> Environment:
    """Return the templates' environment in which a missing value is an error instead of an empty text."""
    return environment.overlay(undefined=StrictUndefined)


def _render(mail: Mail, part: str) -> str:
    # Past the context processors: they ask who is looking, and nobody is.
    environment: Environment = current_app.extensions["tenantry_mail_templates"]
    values: dict[str, Any] = {"tenant": None, **mail.context}
    return environment.get_template(f"emails/{mail.template}/{part}").render(values)
