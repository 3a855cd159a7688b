"""What create_app calls to put staff into the application."""

from __future__ import annotations

from flask import Flask

from app.staff import mails  # noqa: F401  # Importing it declares the mail.
from app.staff.commands import staff_commands
from app.staff.viewers import load_viewer
from app.web.hosts import Surface
from app.web.identity import register_session_loader


def init_staff(app: Flask) -> None:
    """Let the platform's host know its viewers, and add the commands."""
    register_session_loader(app, Surface.ADMIN, load_viewer)
    app.cli.add_command(staff_commands)
