"""What create_app calls to put servers into the application."""

from __future__ import annotations

from flask import Flask

from app.servers import models  # noqa: F401  # Importing it declares the table.


def init_servers(_app: Flask) -> None:
    """Declare the table of servers."""
