"""The link by which a visitor confirms a sign-up."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from app.core.runtime import link_key
from app.credentials.links import LinkPurpose, make_token, read_token, verify_token

REQUEST_LIFETIME = timedelta(hours=24)
LINK_SERIAL = 1  # A request is confirmed once; a second request is another tenant.


def make_confirmation(tenant_id: UUID) -> str:
    """Derive the token that confirms a tenant's request."""
    return make_token(link_key(), LinkPurpose.SIGN_UP_CONFIRMATION, tenant_id, LINK_SERIAL)


def read_confirmation(text: str) -> UUID | None:
    """Return the tenant that a token confirms, or None when we did not make it."""
    token = read_token(text)
    if token is None or token.serial != LINK_SERIAL:
        return None
    return token.row_id if verify_token(link_key(), LinkPurpose.SIGN_UP_CONFIRMATION, token) else None
