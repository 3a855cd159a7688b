"""What create_app calls to put homes into the application."""

from __future__ import annotations

from flask import Flask

from app.homes.preparing import declare_template_step


def init_homes(_app: Flask) -> None:
    """Let a server's preparation make the template of single homes' databases as well."""
    declare_template_step()
