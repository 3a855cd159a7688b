"""What create_app calls to put operations into the application."""

from __future__ import annotations

from flask import Flask

from app.core.permissions import Permission
from app.operations import jobs  # noqa: F401  # Importing it declares the job.
from app.operations.views import admin
from app.web.hosts import Surface
from app.web.navigation import NavItem, register


def init_operations(app: Flask) -> None:
    """Declare the job that runs operations, and show them in the platform portal."""
    app.register_blueprint(admin.bp)
    item = NavItem(
        Surface.ADMIN, "Operations", "operations_admin.list_operations", "activity", Permission.PLATFORM_READ, 20
    )
    register(item)
