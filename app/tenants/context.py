"""What the templates of a tenant's portal know of the tenant."""

from __future__ import annotations

from typing import Any

from flask import Flask

from app.core.tenancy.scopes import current_tenant_id, find_scope
from app.tenants.queries import get_tenant
from app.web.hosts import Surface, is_surface
from app.web.moments import show_moments_in


def init_tenant_context(app: Flask) -> None:
    """Give the pages of a tenant's portal its `tenant`."""

    @app.context_processor
    def add_tenant() -> dict[str, Any]:
        if not is_surface(Surface.TENANT) or find_scope() is None:
            return {}
        tenant = get_tenant(current_tenant_id())
        show_moments_in(tenant.time_zone, tenant.locale)
        return {"tenant": tenant}
