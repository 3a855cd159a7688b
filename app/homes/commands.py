"""The command that brings everything up to date: the main database, every server's own, then every home."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click

from app.core.actors import Actor
from app.core.commands import as_json_option, one_sentence, print_result
from app.core.database.migrations import migrate
from app.core.database.versions import newest_version
from app.core.runtime import current_settings
from app.core.tenancy.scopes import platform_scope
from app.homes import queries
from app.homes.fleet import DEFAULT_FAILURE_RATIO
from app.homes.models import FleetRun, RunState
from app.homes.run_steps import is_behind
from app.homes.services import resume_run, start_run
from app.operations.runner import run_operation
from app.plans.services import seed_catalogue

ACTOR = Actor.system("command migrate")
DONE = "The database is at the newest schema."


@dataclass(frozen=True)
class Report:
    """How a run went, as the command tells it."""

    state: str
    migrated: int
    failed: list[tuple[str, str]]
    not_attempted: int

    @property
    def is_good(self) -> bool:
        return self.state == RunState.DONE and not self.failed

    @property
    def text(self) -> str:
        """Return one line for the run and one for each home that has failed."""
        lines = [f"{home}: {error}" for home, error in self.failed]
        counts = f"{self.migrated} homes migrated, {len(self.failed)} failed, {self.not_attempted} not attempted"
        return "\n".join([*lines, f"The run is {self.state}: {counts}."])


@click.command("migrate")
@click.option("--without-homes", is_flag=True, help="Leave homes as they are: what runs before the new code does.")
@click.option("--failures", "percent", default=DEFAULT_FAILURE_RATIO * 100, show_default=True, type=float,
              help="Stop the run when more than so many percent of the homes have failed.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with a run that was paused.")
@as_json_option
@one_sentence
def migrate_command(without_homes: bool, percent: float, resume: bool, as_json: bool) -> None:
    """Bring the main database, every server's and every home to the newest schema, and plans to this release."""
    migrate(current_settings(), homes=not without_homes)
    with platform_scope("command migrate"):
        seed_catalogue()
    report = None if without_homes else _migrate_homes(percent / 100, resume=resume)
    if report is None:
        print_result({"version": newest_version("tenant"), "run": None}, as_json=as_json, text=DONE)
        return
    print_result({"version": newest_version("tenant"), "run": vars(report)}, as_json=as_json, text=report.text)
    if not report.is_good:
        sys.exit(1)


def _migrate_homes(max_failure_ratio: float, *, resume: bool) -> Report | None:
    report = _finish_open_run(resume=resume)
    if (report is not None and not report.is_good) or not is_behind():
        return report
    with platform_scope("command migrate"):
        run = queries.get_run(start_run(max_failure_ratio=max_failure_ratio, actor=ACTOR))
    return _finish(run)


def _finish_open_run(*, resume: bool) -> Report | None:
    """Bring a run to its end that somebody is at still, or was killed in, or has paused."""
    with platform_scope("command migrate"):
        run = queries.find_latest_run()
        if run is not None and run.state == RunState.PAUSED and resume:
            resume_run(run.id, actor=ACTOR)
    return _finish(run) if run is not None and run.is_live else None


def _finish(run: FleetRun) -> Report:
    run_operation(run.operation_id)
    with platform_scope("command migrate"):
        ended, counts = queries.get_run(run.id), queries.count_run_homes(run.id)
        failed = [(str(home.key), home.error or "") for home in queries.list_failed_run_homes(run.id)]
    return Report(ended.state, counts.done, failed, counts.pending)
