"""What create_app calls to put staff into the application."""

from __future__ import annotations

from flask import Flask

from app.core.permissions import Permission
from app.staff import mails  # noqa: F401  # Importing it declares the mail.
from app.staff.commands import staff_commands
from app.staff.viewers import load_viewer
from app.staff.views.admin import accounts, listing, own_account  # noqa: F401  # Importing them adds their views.
from app.staff.views.admin.blueprint import bp
from app.web.hosts import Surface
from app.web.identity import register_session_loader
from app.web.navigation import NavItem, register


def init_staff(app: Flask) -> None:
    """Let the platform's host know its viewers, and add the commands, the pages and their entry."""
    register_session_loader(app, Surface.ADMIN, load_viewer)
    app.cli.add_command(staff_commands)
    app.register_blueprint(bp)
    register(NavItem(Surface.ADMIN, "Staff", "staff_admin.list_staff_users", "users", Permission.STAFF_READ, 50))
