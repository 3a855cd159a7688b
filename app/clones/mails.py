"""The mail that reminds a clone's owner of the day on which it is closed."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from app.mail.composers import Mail, composer
from app.mail.names import MailName
from app.tenants.queries import get_tenant
from app.tenants.status import OPEN
from app.web.links import tenant_url
from app.web.moments import show_day


@composer(MailName.CLONE_EXPIRY)
def compose_expiry(payload: dict[str, str]) -> Mail | None:
    """Compose the reminder; none once the clone has another day, or does not work any more."""
    clone, day = get_tenant(UUID(payload["tenant_id"])), date.fromisoformat(payload["expires_on"])
    if clone.expires_on != day or clone.status not in OPEN:
        return None
    context: dict[str, object] = {
        "owner_name": clone.owner_name,
        "name": clone.name,
        "address": tenant_url(clone.slug),
        "day": show_day(day),
        "time_zone": clone.time_zone,
    }
    return Mail(clone.owner_email, MailName.CLONE_EXPIRY.value, context)
