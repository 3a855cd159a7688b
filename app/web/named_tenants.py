"""Tenants by the name that people know: from a filter's text to an id, and from an id to the slug."""

from __future__ import annotations

from uuid import UUID

from app.core.database.session import registry
from app.core.ids import new_id


def find_named_tenant(text: str | None) -> UUID | None:
    """Return the id of the tenant that a text names; None for no text, and an id of nobody's for an unknown name."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        route = registry().resolve_host(text.strip().lower())
        # A list that is filtered by a name nobody has is empty; it never shows everybody's rows.
        return route.tenant_id if route is not None else new_id()


def name_tenant(tenant_id: UUID) -> str:
    """Return a tenant's slug, or its id when it has none any more."""
    route = registry().find_route(tenant_id)
    return route.slug if route is not None else str(tenant_id)
