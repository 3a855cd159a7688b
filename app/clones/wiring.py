"""What create_app calls to put clones into the application."""

from __future__ import annotations

from flask import Flask

from app.clones import jobs, mails  # noqa: F401  # Importing them declares the job and the mail.
from app.clones.commands import clone_tenant_command
from app.clones.operation import init_operation
from app.clones.views import admin
from app.core.job_names import JobName
from app.jobs.schedules import Schedule, register_schedule
from app.tenants.commands import tenant_group

HOUR_SECONDS = 3600


def init_clones(app: Flask) -> None:
    """Declare the operation and the hourly look at days, and add the pages and the command."""
    init_operation()
    register_schedule(Schedule(JobName.CLONES_WATCH, HOUR_SECONDS))
    app.register_blueprint(admin.bp)
    tenant_group.add_command(clone_tenant_command)
