"""The mails that members get; their links are derived when the mail is sent."""

from __future__ import annotations

from uuid import UUID

from babel.dates import format_datetime, get_timezone

from app.core import clock
from app.core.errors import NotFoundError
from app.core.tenancy.scopes import current_tenant_id
from app.credentials.links import LinkPurpose
from app.mail.composers import Mail, composer
from app.mail.names import MailName
from app.members.links import link_path
from app.members.models import Member
from app.members.queries import get_member
from app.tenants.queries import get_tenant
from app.web.links import tenant_url


@composer(MailName.MEMBER_INVITATION)
def compose_invitation(payload: dict[str, str]) -> Mail | None:
    """Compose an invitation; none once it was accepted, replaced or has expired."""
    return _compose(MailName.MEMBER_INVITATION, LinkPurpose.MEMBER_INVITATION, payload)


@composer(MailName.MEMBER_PASSWORD_RESET)
def compose_password_reset(payload: dict[str, str]) -> Mail | None:
    """Compose the mail with a link to a new password; none once it was used, replaced or has expired."""
    return _compose(MailName.MEMBER_PASSWORD_RESET, LinkPurpose.MEMBER_RESET, payload)


def _compose(name: MailName, purpose: LinkPurpose, payload: dict[str, str]) -> Mail | None:
    member = _find_member(UUID(payload["member_id"]))
    if member is None or not member.has_link(purpose, int(payload["serial"]), clock.now()):
        return None
    tenant, inviter = get_tenant(current_tenant_id()), _find_inviter(payload)
    expires_at = format_datetime(
        member.link_expires_at, "d MMMM y, HH:mm", tzinfo=get_timezone(tenant.time_zone), locale="en"
    )
    context: dict[str, object] = {
        "tenant": tenant,
        "name": member.name,
        "inviter": inviter.name if inviter is not None else None,
        "email": member.email,
        "address": tenant_url(tenant.slug),
        "link": tenant_url(tenant.slug, link_path(member)),
        "valid_until": f"{expires_at} ({tenant.time_zone})",
    }
    return Mail(member.email, name.value, context)


def _find_inviter(payload: dict[str, str]) -> Member | None:
    inviter_id = payload.get("inviter_id")
    return _find_member(UUID(inviter_id)) if inviter_id is not None else None


def _find_member(member_id: UUID) -> Member | None:
    # A request for an address without an account queues a mail to nobody.
    try:
        return get_member(member_id)
    except NotFoundError:
        return None
