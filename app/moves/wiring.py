"""What create_app calls to put moves into the application."""

from __future__ import annotations

from flask import Flask

from app.core.job_names import JobName
from app.core.permissions import Permission
from app.jobs.schedules import Schedule, register_schedule
from app.moves import jobs  # noqa: F401  # Importing it declares the job.
from app.moves.commands import move_tenant_command
from app.moves.operation import init_operations
from app.moves.views import admin
from app.tenants.commands import tenant_group
from app.web.hosts import Surface
from app.web.navigation import NavItem, register

TEN_MINUTES = 600


def init_moves(app: Flask) -> None:
    """Declare the operations and the job, add the command, and show the moves in the platform portal."""
    init_operations()
    register_schedule(Schedule(JobName.MOVES_FINISH, TEN_MINUTES))
    app.register_blueprint(admin.bp)
    tenant_group.add_command(move_tenant_command)
    register(NavItem(Surface.ADMIN, "Moves", "moves_admin.list_moves", "transfer", Permission.TENANT_READ, 27))
