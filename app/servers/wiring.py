"""What create_app calls to put servers into the application."""

from __future__ import annotations

from flask import Flask

from app.core.job_names import JobName
from app.core.permissions import Permission
from app.jobs.schedules import Schedule, register_schedule
from app.servers import jobs  # noqa: F401  # Importing it declares the job.
from app.servers.commands import server_group
from app.servers.preparing import declare_preparation
from app.servers.removal import declare_removal
from app.servers.url_changes import declare_url_change
from app.servers.views import admin
from app.web.hosts import Surface
from app.web.navigation import NavItem, register

MINUTE_SECONDS = 60


def init_servers(app: Flask) -> None:
    """Declare the operations and the measuring job, and show the servers in the platform portal."""
    declare_preparation()
    declare_url_change()
    declare_removal()
    register_schedule(Schedule(JobName.SERVERS_MEASURE, MINUTE_SECONDS))
    app.register_blueprint(admin.bp)
    app.cli.add_command(server_group)
    register(NavItem(Surface.ADMIN, "Servers", "servers_admin.list_servers", "server", Permission.SERVER_READ, 25))
