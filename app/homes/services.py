"""What is done to homes: creating one and taking it back as steps of operations, and runs over the whole fleet."""

from __future__ import annotations

import time
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError

from app.audit.services import record_event, unaudited
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db, registry
from app.core.database.transactions import transaction
from app.core.database.versions import newest_version
from app.core.errors import ConfigError, ConflictError, StateError, UnavailableError
from app.core.ids import new_id
from app.core.job_names import JobName
from app.core.jobs import enqueue
from app.core.tenancy.scopes import Placement, platform_scope
from app.homes import drift, queries, ready_homes, run_steps
from app.homes.building import build_home, drop_home
from app.homes.models import FleetRun, RunState
from app.operations.services import start_operation

ONE_OPEN = "uq_fleet_runs_open"
# A tenant that is provisioned meanwhile waits no longer for the worker.
FILL_SECONDS = 1.0
log = structlog.get_logger()


@unaudited("a step of provisioning; the operation's events say it")
def create_home(tenant_id: UUID) -> None:
    """Build the home where the tenant's placement says: from now on the database accepts contexts of its epoch."""
    build_home(tenant_id, _get_placement(tenant_id))


@unaudited("a step of provisioning taken back; the operation's events say it")
def purge_home(tenant_id: UUID) -> None:
    """Take the home down for good: what is in it is gone, and every context of it is refused."""
    drop_home(tenant_id, _get_placement(tenant_id))


@unaudited("how many homes are kept ready is decided with the server's terms; they are nobody's")
def fill_ready_homes() -> None:
    """Make some of the homes that are to be ready and are not; a further job makes the rest.

    A server that does not answer is come to again with the next tick.
    """
    until = time.monotonic() + FILL_SECONDS
    for server in ready_homes.list_targets():
        try:
            is_unfinished = ready_homes.fill(server, until)
        except (UnavailableError, ConfigError):
            log.warning("server_not_filled", server=server)
            continue
        if is_unfinished:
            with platform_scope("homes to make ready"), transaction():
                enqueue(JobName.HOMES_FILL)
            return


def start_run(*, max_failure_ratio: float, actor: Actor) -> UUID:
    """Start migrating every home that is behind to this release's version.

    Errors: ConflictError while another run is running or paused.
    """
    run_id = new_id()
    with transaction():
        run = FleetRun(
            id=run_id,
            operation_id=_start_operation(run_id, actor),
            to_version=newest_version("tenant"),
            max_failure_ratio=max_failure_ratio,
            actor_label=actor.label,
        )
        db.session.add(run)
        _refuse_second_open()
        record_event(AuditAction.FLEET_RUN_STARTED, target=run.target, actor=actor)
    return run_id


def pause_run(run_id: UUID, *, actor: Actor) -> None:
    """Let a run come to no more homes; those that it is at are finished.

    Errors: NotFoundError; StateError unless it is running.
    """
    with transaction():
        run = queries.get_run(run_id, lock=True)
        run.pause()
        record_event(AuditAction.FLEET_RUN_PAUSED, target=run.target, actor=actor)


def resume_run(run_id: UUID, *, actor: Actor) -> None:
    """Go on with the homes that a paused or stopped run has not attempted yet.

    Errors: NotFoundError; StateError while it is running, when it is done, or when a newer run follows it.
    """
    with transaction():
        run = _get_latest(run_id)
        if run.state == RunState.DONE:
            raise StateError("This run has come to every home.")
        _go_on(run, actor)
        record_event(AuditAction.FLEET_RUN_RESUMED, target=run.target, actor=actor)


def retry_failed(run_id: UUID, *, actor: Actor) -> None:
    """Attempt the homes again that have failed, and those that were not attempted.

    Errors: NotFoundError; StateError while it is running, when nothing has failed, or when a newer run follows it.
    """
    with transaction():
        run = _get_latest(run_id)
        failed = queries.list_failed_run_homes(run_id)
        if not failed:
            raise StateError("No home has failed in this run.")
        for home in failed:
            home.wait_again()
        _go_on(run, actor)
        record_event(AuditAction.FLEET_RUN_RETRIED, target=run.target, actor=actor, reason=f"{len(failed)} homes")


@unaudited("starting the operation is the event")
def start_check(*, actor: Actor) -> UUID:
    """Compare every home with the empty one of its version; return the operation that does it."""
    return start_operation(drift.KIND, tenant_id=None, payload={}, actor=actor)


def _start_operation(run_id: UUID, actor: Actor) -> UUID:
    return start_operation(run_steps.KIND, tenant_id=None, payload={"run_id": str(run_id)}, actor=actor)


def _get_latest(run_id: UUID) -> FleetRun:
    run, latest = queries.get_run(run_id, lock=True), queries.find_latest_run()
    if latest is not run:
        raise StateError("A newer run has taken this one's place.")
    return run


def _go_on(run: FleetRun, actor: Actor) -> None:
    run.go_on(clock.now())
    run.operation_id = _start_operation(run.id, actor)
    _refuse_second_open()


def _refuse_second_open() -> None:
    try:
        db.session.flush()
    except IntegrityError as error:
        if ONE_OPEN not in str(error.orig):
            raise
        raise ConflictError("Another run is running or paused.") from error


def _get_placement(tenant_id: UUID) -> Placement:
    return registry().get_route(tenant_id).get_placement()
