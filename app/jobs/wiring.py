"""What create_app calls to put jobs into the application."""

from __future__ import annotations

from flask import Flask

from app.core.config import Settings
from app.jobs.doorbell import init_doorbell


def init_jobs(app: Flask, settings: Settings) -> None:
    """Let commits wake the dispatcher."""
    init_doorbell(app, settings)
