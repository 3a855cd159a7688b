"""What create_app calls to put the first pages into the application."""

from __future__ import annotations

from flask import Flask

from app.core.permissions import Permission
from app.dashboard.views import admin, tenant
from app.web.hosts import Surface
from app.web.navigation import NavItem, register


def init_dashboard(app: Flask) -> None:
    """Add each portal's first page and its entry."""
    app.register_blueprint(admin.bp)
    app.register_blueprint(tenant.bp)
    for surface, permission in ((Surface.ADMIN, Permission.PLATFORM_READ), (Surface.TENANT, Permission.WORKSPACE_READ)):
        register(NavItem(surface, "Overview", f"dashboard_{surface}.show_overview", "home", permission, 0))
