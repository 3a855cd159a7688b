"""What create_app calls to put isolation into the application."""

from __future__ import annotations

from flask import Flask

from app.core.config import Settings
from app.core.job_names import JobName
from app.core.permissions import Permission
from app.isolation import jobs  # noqa: F401  # Importing it declares the jobs.
from app.isolation.commands import isolation_group
from app.isolation.notices import speak_of_server, speak_of_tenant
from app.isolation.preparing import forget_canaries_of
from app.isolation.views import admin, tenant
from app.jobs.schedules import Schedule, register_schedule
from app.operations.kinds import Step, StepScope
from app.servers.removal import add_removal_step
from app.web.hosts import Surface
from app.web.navigation import NavItem, register
from app.web.notices import register_notice

NAVIGATION = (
    NavItem(Surface.ADMIN, "Isolation", "isolation_admin.list_probes", "shield-check", Permission.ISOLATION_READ, 27),
    NavItem(
        Surface.TENANT,
        "Isolation",
        "isolation_tenant.show_isolation",
        "shield-check",
        Permission.WORKSPACE_ISOLATION_READ,
        35,
    ),
)


def init_isolation(app: Flask, settings: Settings) -> None:
    """Declare the jobs with their schedule, and add the pages, the commands and what other pages say."""
    register_schedule(Schedule(JobName.ISOLATION_REQUEST, settings.isolation_probe_seconds))
    add_removal_step(Step("canaries", "Forget its canaries", StepScope.PLATFORM, forget_canaries_of))
    app.cli.add_command(isolation_group)
    app.register_blueprint(admin.bp)
    app.register_blueprint(tenant.bp)
    register_notice("server", "isolation", Permission.ISOLATION_READ, speak_of_server)
    register_notice("tenant", "isolation", Permission.ISOLATION_READ, speak_of_tenant)
    for item in NAVIGATION:
        register(item)
