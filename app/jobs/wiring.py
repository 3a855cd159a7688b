"""What create_app calls to put jobs into the application."""

from __future__ import annotations

from flask import Flask

from app.core.config import Settings
from app.core.job_names import JobName
from app.core.permissions import Permission
from app.jobs import jobs  # noqa: F401  # Importing it declares the job.
from app.jobs.doorbell import init_doorbell
from app.jobs.schedules import Schedule, register_schedule
from app.jobs.views import admin
from app.web.hosts import Surface
from app.web.navigation import NavItem, register

DAY_SECONDS = 86_400


def init_jobs(app: Flask, settings: Settings) -> None:
    """Let commits wake the dispatcher, prune once a day, and show the jobs in the platform portal."""
    init_doorbell(app, settings)
    register_schedule(Schedule(JobName.JOBS_PRUNE, DAY_SECONDS))
    app.register_blueprint(admin.bp)
    register(NavItem(Surface.ADMIN, "Jobs", "jobs_admin.list_jobs", "stack-2", Permission.JOB_READ, 30))
