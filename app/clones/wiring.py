"""What create_app calls to put clones into the application."""

from __future__ import annotations

from flask import Flask

from app.clones import jobs, mails  # noqa: F401  # Importing them declares the job and the mail.
from app.clones.commands import clone_tenant_command
from app.clones.operation import init_operation
from app.clones.services import refuse_one_too_many
from app.clones.views import admin
from app.core.job_names import JobName
from app.jobs.schedules import Schedule, register_schedule
from app.tenants.commands import tenant_group
from app.tenants.unarchival import register_unarchival_check

HOUR_SECONDS = 3600


def init_clones(app: Flask) -> None:
    """Declare the operation, the hourly look at days and the check of their number; add the pages and the command."""
    init_operation()
    register_unarchival_check("clones", refuse_one_too_many)
    register_schedule(Schedule(JobName.CLONES_WATCH, HOUR_SECONDS))
    app.register_blueprint(admin.bp)
    tenant_group.add_command(clone_tenant_command)
