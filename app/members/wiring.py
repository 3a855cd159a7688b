"""What create_app calls to put members into the application."""

from __future__ import annotations

from flask import Flask

from app.members import mails  # noqa: F401  # Importing it declares the mails.
from app.members.viewers import load_viewer
from app.web.hosts import Surface
from app.web.identity import register_session_loader


def init_members(app: Flask) -> None:
    """Let tenants' hosts know their viewers."""
    register_session_loader(app, Surface.TENANT, load_viewer)
