"""What create_app calls to put tenants into the application."""

from __future__ import annotations

from flask import Flask

from app.core.database.session import db
from app.core.permissions import Permission
from app.tenants.canaries import hide_canaries
from app.tenants.commands import tenant_group
from app.tenants.context import init_tenant_context
from app.tenants.views import tenant
from app.tenants.views.admin import bulk, listing, metadata, pages, status_changes  # noqa: F401  # They add their views.
from app.tenants.views.admin.blueprint import bp
from app.web.hosts import Surface
from app.web.navigation import NavItem, register


def init_tenants(app: Flask) -> None:
    """Add the list of tenants, their pages, the page of a portal that is not open yet, and the commands."""
    hide_canaries(db.session)
    app.register_blueprint(bp)
    app.register_blueprint(tenant.bp)
    app.cli.add_command(tenant_group)
    init_tenant_context(app)
    register(NavItem(Surface.ADMIN, "Tenants", "tenants_admin.list_tenants", "buildings", Permission.TENANT_READ, 10))
