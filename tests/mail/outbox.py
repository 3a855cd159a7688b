"""Queueing toy mails and reading what was delivered."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from app.core.runtime import current_settings
from app.core.tenancy.scopes import TenantRoute, platform_scope, tenant_scope
from app.mail.services import queue_mail
from tests.mail.conftest import ToyMail


def queue_toy(
    key: str = "bob/1", *, name: str = "Bob", kind: ToyMail = ToyMail.TOY, route: TenantRoute | None = None, **more: str
) -> None:
    """Queue a toy mail for a tenant or the platform."""
    with tenant_scope(route, reason="test") if route else platform_scope("test"):
        queue_mail(kind, {"name": name, **more}, key=key)


def delivered() -> list[EmailMessage]:
    """Return the mails in the folder."""
    paths = sorted(current_settings().mail_dir.glob("*.eml"))
    return [message_from_bytes(path.read_bytes(), policy=default) for path in paths]


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """Return the text or the HTML part."""
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")
