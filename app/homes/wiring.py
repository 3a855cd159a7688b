"""What create_app calls to put homes into the application."""

from __future__ import annotations

from flask import Flask

from app.core.job_names import JobName
from app.core.permissions import Permission
from app.homes import jobs, models  # noqa: F401  # Importing them declares the job and the tables.
from app.homes.commands import migrate_command
from app.homes.drift import declare_check
from app.homes.preparing import declare_server_steps
from app.homes.run_steps import declare_run
from app.homes.views import admin
from app.jobs.schedules import Schedule, register_schedule
from app.web.hosts import Surface
from app.web.navigation import NavItem, register

DAY_SECONDS = 86_400
MINUTE_SECONDS = 60


def init_homes(app: Flask) -> None:
    """Declare what is done to homes and to the fleet of them, and add the board and the command that migrates."""
    declare_server_steps()
    declare_run()
    declare_check()
    register_schedule(Schedule(JobName.HOMES_CHECK, DAY_SECONDS))
    register_schedule(Schedule(JobName.HOMES_FILL, MINUTE_SECONDS))
    app.cli.add_command(migrate_command)
    app.register_blueprint(admin.bp)
    register(NavItem(Surface.ADMIN, "Fleet", "homes_admin.list_homes", "list-details", Permission.FLEET_READ, 26))
