"""What create_app calls to put onboarding into the application."""

from __future__ import annotations

from flask import Flask

from app.core.job_names import JobName
from app.jobs.schedules import Schedule, register_schedule
from app.onboarding import jobs, mails  # noqa: F401  # Importing them declares the job and the mail.
from app.onboarding.commands import create_tenant_command, show_owner_link_command
from app.onboarding.owner_links import init_owner_links
from app.onboarding.provisioning import init_provisioning
from app.onboarding.views import admin, public
from app.tenants.commands import tenant_group

HOUR_SECONDS = 3600


def init_onboarding(app: Flask) -> None:
    """Add the forms, the operations, the expiry of requests and the commands."""
    init_provisioning()
    init_owner_links()
    register_schedule(Schedule(JobName.ONBOARDING_EXPIRE_REQUESTS, HOUR_SECONDS))
    app.register_blueprint(admin.bp)
    app.register_blueprint(public.bp)
    tenant_group.add_command(create_tenant_command)
    tenant_group.add_command(show_owner_link_command)
