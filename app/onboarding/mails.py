"""The mail that asks a visitor to confirm a sign-up."""

from __future__ import annotations

from uuid import UUID

from app.mail.composers import Mail, composer
from app.mail.names import MailName
from app.onboarding.confirmation import make_confirmation
from app.tenants.queries import get_tenant
from app.tenants.status import TenantStatus
from app.web.links import public_url, tenant_url


@composer(MailName.SIGN_UP_CONFIRMATION)
def compose_confirmation(payload: dict[str, str]) -> Mail | None:
    """Compose the mail with the link; none for a request that was confirmed or has expired."""
    tenant = get_tenant(UUID(payload["tenant_id"]))
    if tenant.status != TenantStatus.REQUESTED:
        return None
    context: dict[str, object] = {
        "owner_name": tenant.owner_name,
        "name": tenant.name,
        "address": tenant_url(tenant.slug),
        "link": public_url(f"/sign-up/confirmations/{make_confirmation(tenant.id)}"),
    }
    return Mail(tenant.owner_email, "sign-up-confirmation", context)
