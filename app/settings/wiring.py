"""What create_app calls to put settings into the application."""

from __future__ import annotations

from flask import Flask

from app.core.copy_rules import TableRule, register_copy_rule
from app.core.permissions import Permission
from app.settings.views import tenant
from app.web.hosts import Surface
from app.web.navigation import NavItem, register


def init_settings(app: Flask) -> None:
    """Add the settings page and its entry."""
    register_copy_rule(TableRule("settings", "Settings", "Copied as they are."))
    app.register_blueprint(tenant.bp)
    register(
        NavItem(
            Surface.TENANT,
            "Settings",
            "settings_tenant.edit_workspace",
            "settings",
            Permission.WORKSPACE_SETTINGS_EDIT,
            40,
        )
    )
