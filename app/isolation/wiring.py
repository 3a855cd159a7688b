"""What create_app calls to put isolation into the application."""

from __future__ import annotations

from flask import Flask

from app.core.config import Settings
from app.core.job_names import JobName
from app.isolation import jobs  # noqa: F401  # Importing it declares the jobs.
from app.isolation.commands import isolation_group
from app.jobs.schedules import Schedule, register_schedule
from app.isolation.preparing import forget_canaries_of
from app.operations.kinds import Step, StepScope
from app.servers.removal import add_removal_step


def init_isolation(app: Flask, settings: Settings) -> None:
    """Declare the jobs with their schedule, and add the pages and commands."""
    register_schedule(Schedule(JobName.ISOLATION_REQUEST, settings.isolation_probe_seconds))
    add_removal_step(Step("canaries", "Forget its canaries", StepScope.PLATFORM, forget_canaries_of))
    app.cli.add_command(isolation_group)
