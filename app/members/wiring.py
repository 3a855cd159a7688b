"""What create_app calls to put members into the application."""

from __future__ import annotations

from flask import Flask

from app.core.permissions import Permission
from app.members import copying, jobs, mails  # noqa: F401  # Importing them declares jobs and mails.
from app.members.viewers import load_viewer
from app.members.views.tenant import accounts, listing, profile  # noqa: F401  # Importing them adds their views.
from app.members.views.tenant.blueprint import bp
from app.web.hosts import Surface
from app.web.identity import register_session_loader
from app.web.navigation import NavItem, register


def init_members(app: Flask) -> None:
    """Let tenants' hosts know their viewers, and add the pages and their entry."""
    copying.declare_rules()
    register_session_loader(app, Surface.TENANT, load_viewer)
    app.register_blueprint(bp)
    register(
        NavItem(Surface.TENANT, "Members", "members_tenant.list_members", "users", Permission.WORKSPACE_MEMBER_READ, 10)
    )
