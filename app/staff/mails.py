"""The mails that staff users get; their links are derived when the mail is sent."""

from __future__ import annotations

from uuid import UUID

from babel.dates import format_datetime

from app.core import clock
from app.credentials.links import LinkPurpose
from app.mail.composers import Mail, composer
from app.mail.names import MailName
from app.staff.links import sign_in_url
from app.staff.queries import find_staff_user
from app.staff.roles import StaffRole
from app.web.links import admin_url


@composer(MailName.STAFF_SIGN_IN)
def compose_sign_in(payload: dict[str, str]) -> Mail | None:
    """Compose the mail with a one-time link; none once it was used, replaced or has expired."""
    return _compose(MailName.STAFF_SIGN_IN, LinkPurpose.STAFF_SIGN_IN, payload)


@composer(MailName.STAFF_PASSWORD_RESET)
def compose_password_reset(payload: dict[str, str]) -> Mail | None:
    """Compose the mail with a link to a new password; none once it was used, replaced or has expired."""
    return _compose(MailName.STAFF_PASSWORD_RESET, LinkPurpose.STAFF_RESET, payload)


def _compose(name: MailName, purpose: LinkPurpose, payload: dict[str, str]) -> Mail | None:
    user = find_staff_user(UUID(payload["staff_user_id"]))
    # A request for an address without an account queues a mail to nobody.
    if user is None or not user.has_link(purpose, int(payload["serial"]), clock.now()):
        return None
    context: dict[str, object] = {
        "name": user.name,
        "email": user.email,
        "role": StaffRole(user.role).label,
        "address": admin_url(),
        "link": sign_in_url(user),
        "valid_until": format_datetime(user.link_expires_at, "d MMMM y, HH:mm 'UTC'", locale="en"),
    }
    return Mail(user.email, name.value, context)
