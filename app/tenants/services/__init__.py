"""Every write of the registry, a room a use case."""

from app.tenants.services.basics import TenantBasics, update_tenant
from app.tenants.services.bulk import reactivate_tenants, suspend_tenants, tag_tenants
from app.tenants.services.canaries import ensure_canary, forget_canaries
from app.tenants.services.facts import publish_fact
from app.tenants.services.metadata import (
    add_note,
    add_tag,
    remove_metadatum,
    remove_note,
    remove_tag,
    restore_note,
    set_metadatum,
)
from app.tenants.services.registration import SLUG_TAKEN, TenantDraft, create_tenant
from app.tenants.services.saved_views import delete_view, save_view
from app.tenants.services.statuses import (
    archive_tenant,
    change_status,
    discard_tenant,
    expire_request,
    reactivate_tenant,
    suspend_tenant,
    unarchive_tenant,
)

__all__ = [
    "SLUG_TAKEN",
    "TenantBasics",
    "TenantDraft",
    "add_note",
    "add_tag",
    "archive_tenant",
    "change_status",
    "create_tenant",
    "delete_view",
    "discard_tenant",
    "ensure_canary",
    "expire_request",
    "forget_canaries",
    "publish_fact",
    "reactivate_tenant",
    "reactivate_tenants",
    "remove_metadatum",
    "remove_note",
    "remove_tag",
    "restore_note",
    "save_view",
    "set_metadatum",
    "suspend_tenant",
    "suspend_tenants",
    "tag_tenants",
    "unarchive_tenant",
    "update_tenant",
]
