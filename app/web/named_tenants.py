"""The tenant that a filter of a list names, by its slug or its id."""

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
