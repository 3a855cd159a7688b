"""What encryption says on the page of a tenant."""

from __future__ import annotations

from uuid import UUID

from flask import url_for

from app.core.encryption.keys import KeyPurpose, KeyState
from app.encryption.queries import list_data_keys
from app.web.notices import Notice


def speak_of_tenant(tenant_id: str) -> Notice | None:
    """Say that a tenant has keys of its own, and which version seals its fields; nothing of one that has none yet."""
    keys = list_data_keys(UUID(tenant_id))
    current = [row for row in keys if row.purpose == KeyPurpose.FIELDS and row.state == KeyState.ACTIVE]
    if not current:
        return None
    text = f"Version {current[0].version} of the tenant’s own key seals its values."
    href = url_for("encryption_admin.show_tenant_keys", tenant_id=tenant_id)
    return Notice("Keys", "success", "Keys of its own", text, href, "Keys")
