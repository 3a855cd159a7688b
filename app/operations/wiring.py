"""What create_app calls to put operations into the application."""

from __future__ import annotations

from flask import Flask

from app.operations import jobs  # noqa: F401  # Importing it declares the job.


def init_operations(_app: Flask) -> None:
    """Declare the job that runs operations."""
