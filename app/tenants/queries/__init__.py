"""Every read of the registry, a room a use case."""

from app.tenants.queries.bulk import BulkAct, BulkResult, get_bulk_act
from app.tenants.queries.choices import list_regions, list_used_tags
from app.tenants.queries.listing import (
    TenantLine,
    Total,
    count_tenants,
    has_beginning,
    iterate_tenants,
    list_lines,
    list_tenants,
)
from app.tenants.queries.metadata import find_metadatum, get_note, list_metadata, list_notes, list_tags
from app.tenants.queries.registry import (
    count_living_clones,
    find_by_submission,
    find_canary,
    find_home_version,
    find_lifted_suspension,
    find_placement,
    find_status_when_archived,
    get_tenant,
    get_tenant_by_slug,
    is_slug_free,
    list_canaries,
    list_clones,
    list_expiring,
    list_facts,
    list_status_changes,
)
from app.tenants.queries.saved_views import get_view, list_views

__all__ = [
    "BulkAct",
    "BulkResult",
    "TenantLine",
    "Total",
    "count_living_clones",
    "count_tenants",
    "find_by_submission",
    "find_canary",
    "find_home_version",
    "find_lifted_suspension",
    "find_metadatum",
    "find_placement",
    "find_status_when_archived",
    "get_bulk_act",
    "get_note",
    "get_tenant",
    "get_tenant_by_slug",
    "get_view",
    "has_beginning",
    "is_slug_free",
    "iterate_tenants",
    "list_canaries",
    "list_clones",
    "list_expiring",
    "list_facts",
    "list_lines",
    "list_metadata",
    "list_notes",
    "list_regions",
    "list_status_changes",
    "list_tags",
    "list_tenants",
    "list_used_tags",
    "list_views",
]
