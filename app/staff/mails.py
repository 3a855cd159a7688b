"""The mail that staff users get; its link is derived when the mail is sent."""

from __future__ import annotations

from uuid import UUID

from babel.dates import format_datetime

from app.core import clock
from app.credentials.links import LinkPurpose
from app.mail.composers import Mail, composer
from app.mail.names import MailName
from app.staff.links import sign_in_url
from app.staff.queries import get_staff_user
from app.staff.roles import StaffRole
from app.web.links import admin_url


@composer(MailName.STAFF_SIGN_IN)
def compose_sign_in(payload: dict[str, str]) -> Mail | None:
    """Compose the mail with a one-time link; none once it was used, replaced or has expired."""
    user = get_staff_user(UUID(payload["staff_user_id"]))
    if not user.has_link(LinkPurpose.STAFF_SIGN_IN, int(payload["serial"]), clock.now()):
        return None
    context: dict[str, object] = {
        "name": user.name,
        "email": user.email,
        "role": StaffRole(user.role).label,
        "address": admin_url(),
        "link": sign_in_url(user),
        "valid_until": format_datetime(user.link_expires_at, "d MMMM y, HH:mm 'UTC'", locale="en"),
    }
    return Mail(user.email, MailName.STAFF_SIGN_IN.value, context)
