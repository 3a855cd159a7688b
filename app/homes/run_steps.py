"""The operation that migrates the fleet: servers' own databases first, then homes ring by ring."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import psycopg

from app.audit.services import record_event
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.home_versions import HomeKey, HomeVersion, list_versions
from app.core.database.migrations import migrate_database
from app.core.database.owner import owner_connection
from app.core.database.versions import POOL_SCHEMA, newest_version
from app.core.errors import TenantryError
from app.core.jobs import describe_error
from app.core.runtime import current_settings
from app.core.tenancy.scopes import DatabaseAddress
from app.homes import queries, run_records
from app.homes.drift import save_template
from app.homes.fleet import HOME_RINGS, Ring, assign_rings, has_too_many_failures
from app.homes.migrating import Outcome, migrate_homes, wanted_version
from app.homes.models import RunState
from app.homes.template_databases import renew_template_database
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation

KIND = "homes.migrate"
ACTOR = Actor.system("fleet run")
# So many homes between two looks at whether somebody has paused the run, or too many have failed.
BATCH = 100
MOVING = "The tenant is being moved; retry when the move has ended."


def declare_run() -> None:
    """Declare the operation."""
    rings = (Step(ring.name.lower(), ring.title, StepScope.SERVER, partial(migrate_ring, ring)) for ring in HOME_RINGS)
    steps = (
        Step("servers", Ring.SERVERS.title, StepScope.SERVER, migrate_servers),
        Step("plan", "Find the homes that are behind", StepScope.SERVER, plan_homes),
        *rings,
        Step("end", "Write down how it went", StepScope.PLATFORM, end_run),
    )
    register_operation(OperationKind(KIND, "Migrate homes", steps, on_failed=fail_run, on_retried=resume_run))


def find_behind(control: psycopg.Connection[Any]) -> dict[HomeKey, HomeVersion]:
    """Return every home that is behind this release, pools among them, after asking each server once.

    A server that does not answer is behind as far as routing remembers.
    """
    newest, tenancy = newest_version("tenant"), newest_version("tenancy")
    found: dict[HomeKey, HomeVersion] = {}
    for server in run_records.list_servers(control):
        versions = _ask_server(server)
        run_records.sync_versions(control, server, versions)
        pool = versions.get(POOL_SCHEMA, HomeVersion("", ""))
        if pool.home < newest or pool.tenancy < tenancy:
            found[HomeKey(server, "", POOL_SCHEMA)] = pool
    for key, version in run_records.list_fleet(control).items():
        wanted = wanted_version(key, version, newest)
        if version.home < wanted.home or version.tenancy < wanted.tenancy:
            found[key] = version
    return found


def is_behind() -> bool:
    """Tell whether a run would find anything to do; keeps what an empty home of this release consists of."""
    with owner_connection() as control:
        save_template(control)
        return bool(find_behind(control))


def migrate_servers(given: StepInput) -> None:
    """Bring each server's own database, its pool and its template to the newest version; every one is attempted."""
    run_id = _run_of(given)
    with owner_connection() as control:
        save_template(control)
        behind = {key: found.home for key, found in find_behind(control).items() if key.schema == POOL_SCHEMA}
        pools = [(key, Ring.SERVERS) for key in behind]
        run_records.plan_homes(control, run_id, newest_version("tenant"), pools, behind)
        for key in run_records.list_pending_servers(control, run_id):
            outcome = _migrate_server(key) if key in behind else _already_done(key)
            run_records.record_outcomes(control, run_id, [outcome])
        for server in run_records.list_servers(control):
            _renew_template(server)


def plan_homes(given: StepInput) -> None:
    """Write down which homes are behind, and the ring of each."""
    run_id = _run_of(given)
    with owner_connection() as control:
        behind = {key: found.home for key, found in find_behind(control).items() if key.schema != POOL_SCHEMA}
        rings = assign_rings(behind, run_records.list_canaries(control))
        run_records.plan_homes(control, run_id, newest_version("tenant"), rings, behind)


def migrate_ring(ring: Ring, given: StepInput) -> None:
    """Attempt every home of a ring, unless the run is paused or stopped meanwhile."""
    run_id = _run_of(given)
    with owner_connection() as control:
        while run_records.read_progress(control, run_id).state == RunState.RUNNING:
            homes, moving = run_records.next_homes(control, run_id, ring, BATCH)
            outcomes = migrate_homes(homes) + [Outcome(key, None, MOVING, 0.0) for key in moving]
            if outcomes:
                run_records.record_outcomes(control, run_id, outcomes)
            progress = run_records.read_progress(control, run_id)
            counts = (progress.failed, progress.attempted, progress.max_failure_ratio)
            if has_too_many_failures(*counts, ring_has_ended=not outcomes):
                run_records.stop_run(control, run_id)
            if not outcomes:
                return


def end_run(given: StepInput) -> None:
    """Show the run as done, unless somebody has paused it or too many homes have failed."""
    run = queries.get_run(_run_of(given), lock=True)
    if run.state == RunState.RUNNING:
        run.end(RunState.DONE, clock.now())
    if run.state != RunState.PAUSED:
        counts = queries.count_run_homes(run.id)
        said = f"{run.state}: {counts.done} migrated, {counts.failed} failed, {counts.pending} not attempted"
        record_event(AuditAction.FLEET_RUN_ENDED, target=run.target, actor=ACTOR, reason=said)


def fail_run(given: StepInput, error: str) -> None:
    """Show the run as stopped: its operation could not go on."""
    run = queries.get_run(_run_of(given), lock=True)
    if run.state == RunState.RUNNING:
        run.end(RunState.STOPPED, clock.now())
        record_event(AuditAction.FLEET_RUN_ENDED, target=run.target, actor=ACTOR, reason=error)


def resume_run(given: StepInput, actor: Actor) -> None:
    """Let the run go on with its operation."""
    run = queries.get_run(_run_of(given), lock=True)
    if run.state != RunState.RUNNING:
        run.go_on(clock.now())
        record_event(AuditAction.FLEET_RUN_RESUMED, target=run.target, actor=actor)


def _ask_server(server: str) -> dict[str, HomeVersion]:
    try:
        with owner_connection(DatabaseAddress(server)) as connection:
            return list_versions(connection)
    except (TenantryError, psycopg.Error):
        return {}  # Migrating it will say why.


def _already_done(key: HomeKey) -> Outcome:
    """Say what a killed run had no time to write down."""
    return Outcome(key, HomeVersion(newest_version("tenant"), newest_version("tenancy")), None, 0.0)


def _migrate_server(key: HomeKey) -> Outcome:
    began = time.perf_counter()
    try:
        migrate_database(current_settings(), key.address)
    except TenantryError as error:
        return Outcome(key, None, str(error), time.perf_counter() - began)
    except Exception as error:  # Whatever it is, the other servers are attempted.
        return Outcome(key, None, describe_error(error), time.perf_counter() - began)
    return replace(_already_done(key), seconds=time.perf_counter() - began)


def _renew_template(server: str) -> None:
    try:
        renew_template_database(server)
    except TenantryError:
        return  # Its pool says so in the run; the next home that is made there makes the template first.


def _run_of(given: StepInput) -> UUID:
    return UUID(given.payload["run_id"])
