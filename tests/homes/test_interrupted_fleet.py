"""Runs that are disturbed: killed, locked out, begun twice, paused; no home is ever half of each version."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from app.audit.models import ControlAuditEvent
from app.core.config import Settings
from app.core.database.owner import owner_connection
from app.core.database.server_urls import ServerUrls
from app.core.database.versions import newest_version
from app.core.errors import ConflictError, StateError
from app.core.tenancy.scopes import DatabaseAddress, Login, Tier, platform_scope
from app.homes import migrating, run_steps, services
from app.homes.migrating import HomeToMigrate, wanted_version
from app.homes.models import RunState
from app.instance.processes import wait_until
from app.operations.services import retry_operation
from tests.factories import rows_of
from tests.homes.fleets import errors, get_run, home_name, make_homes, migrate, outcomes, start, state_of
from tests.homes.placing import make_home
from tests.homes.releases import ADD, DROP, Release
from tests.operations.toys import ADA, use_up_attempts
from tests.servers import ANNEX, environment_of
from tests.tenant_rows import set_tenant
from tests.work import run_jobs

OF_ITS_OWN = "current_schema() || current_database() ~ '(^|home)t_'"
SLEEP = f"""; op.execute("select pg_sleep(case when {OF_ITS_OWN} then 1.5 else 0 end)")"""
ASLEEP = (
    "select pid from pg_stat_activity where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()"
)


def act(run_id: UUID, service: object) -> None:
    """Do something to a run on the board."""
    with platform_scope("test"):
        service(run_id, actor=ADA)  # type: ignore[operator]


def spawn_runner(release: Release, instance: Settings, run_id: UUID, *more: str) -> subprocess.Popen[bytes]:
    """Let a process of its own work on a run."""
    command = [sys.executable, "-m", "tests.homes.runner_process", str(release.folder)]
    operation_id = str(get_run(run_id).operation_id)
    return subprocess.Popen([*command, operation_id, *more], env=environment_of(instance), stderr=subprocess.DEVNULL)


@pytest.fixture
def watcher(superuser_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        yield connection


def sleepers(watcher: psycopg.Connection) -> list[int]:
    """Return the backends that are in the middle of a home's migration."""
    return [pid for (pid,) in watcher.execute(ASLEEP)]


@pytest.mark.parametrize("tier", [Tier.SCHEMA, Tier.DATABASE])
@pytest.mark.parametrize("backend_dies", [False, True])
def test_a_kill_in_the_middle_of_a_home_leaves_it_wholly_old_or_wholly_new(
    release: Release, instance: Settings, watcher: psycopg.Connection, tier: Tier, *, backend_dies: bool
) -> None:
    (acme,) = make_homes(1, tier)
    before, newest = newest_version("tenant"), release.add(ADD + SLEEP, DROP)
    run_id = start()
    child = spawn_runner(release, instance, run_id)
    assert wait_until(lambda: bool(sleepers(watcher)), 30)
    child.kill()
    child.wait()
    assert state_of(acme) == (False, before, before)
    if backend_dies:
        for pid in sleepers(watcher):
            watcher.execute("select pg_terminate_backend(%s)", (pid,))
    assert wait_until(lambda: not sleepers(watcher), 10)
    assert state_of(acme) == ((False, before, before) if backend_dies else (True, newest, newest))
    run_jobs()
    assert (state_of(acme), get_run(run_id).state) == ((True, newest, newest), RunState.DONE)


@pytest.mark.parametrize("batch", ["1", "2", "3", "4"])
def test_a_run_whose_worker_is_killed_goes_on_where_it_stood(release: Release, instance: Settings, batch: str) -> None:
    homes = make_homes(6)
    newest = release.add()
    run_id = start()
    child = spawn_runner(release, instance, run_id, batch)
    assert child.wait(60) == -signal.SIGKILL
    assert get_run(run_id).state == RunState.RUNNING
    run_jobs()
    assert (get_run(run_id).state, set(outcomes(run_id).values())) == (RunState.DONE, {"done"})
    assert [state_of(home) for home in homes] == [(True, newest, newest)] * 6


def test_a_home_locked_by_a_long_transaction_fails_and_the_others_go_on(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = make_homes(3)
    newest = release.add()
    monkeypatch.setattr(migrating, "LOCK_SECONDS", 1)
    with owner_connection() as connection:
        with connection.transaction():
            lock = sql.SQL("lock table {} in access share mode")
            connection.execute(lock.format(sql.Identifier(homes[0].placement.schema, "settings")))
            run = migrate(max_failure_ratio=1.0)
        assert run.state == RunState.DONE
        assert errors(run.id) == {
            home_name(homes[0]): "A transaction in this home held a lock for more than 1 s; nothing was changed."
        }
    act(run.id, services.retry_failed)
    run_jobs()
    assert (get_run(run.id).state, errors(run.id)) == (RunState.DONE, {})
    assert [state_of(home) for home in homes] == [(True, newest, newest)] * 3


def test_a_statement_without_end_is_cut_short(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    (acme,) = make_homes(1)
    monkeypatch.setattr(migrating, "STATEMENT_SECONDS", 1)
    release.add(ADD + SLEEP, DROP)
    run = migrate()
    assert errors(run.id) == {home_name(acme): "A statement took more than 1 s; nothing was changed."}


def test_two_runs_at_once_are_one(release: Release) -> None:
    make_homes(1)
    release.add()
    start()
    with pytest.raises(ConflictError, match="Another run is running or paused"):
        start()


def test_two_workers_of_one_run_migrate_each_home_once(release: Release, instance: Settings) -> None:
    homes = make_homes(6)
    newest = release.add()
    run_id = start()
    children = [spawn_runner(release, instance, run_id) for _child in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    assert (get_run(run_id).state, set(outcomes(run_id).values())) == (RunState.DONE, {"done"})
    assert [state_of(home) for home in homes] == [(True, newest, newest)] * 6


def test_a_paused_run_comes_to_no_more_homes_until_it_is_resumed(release: Release) -> None:
    homes = make_homes(3)
    newest = release.add()
    run_id = start()
    act(run_id, services.pause_run)
    run_jobs()
    assert get_run(run_id).state == RunState.PAUSED
    assert {outcomes(run_id)[home_name(home)] for home in homes} == {"pending"}
    act(run_id, services.resume_run)
    run_jobs()
    assert get_run(run_id).state == RunState.DONE
    assert [state_of(home) for home in homes] == [(True, newest, newest)] * 3


@pytest.mark.parametrize("service", [services.pause_run, services.resume_run, services.retry_failed])
def test_what_is_done_can_be_neither_paused_nor_resumed_nor_retried(release: Release, service: object) -> None:
    make_homes(1)
    release.add()
    run = migrate()
    with pytest.raises(StateError):
        act(run.id, service)


def test_a_run_that_is_running_is_not_resumed(release: Release) -> None:
    make_homes(1)
    release.add()
    with pytest.raises(StateError, match="running already"):
        act(start(), services.resume_run)


def test_an_older_run_is_not_taken_up_again(release: Release) -> None:
    homes = make_homes(2)
    release.add("op.execute('select 1 / 0 where current_schema() ~ $$^t_$$')", "pass")
    old = migrate()
    migrate()
    assert (old.state, len(homes)) == (RunState.STOPPED, 2)
    with pytest.raises(StateError, match="newer run"):
        act(old.id, services.retry_failed)


def test_a_tenant_that_is_being_moved_is_left_alone(release: Release) -> None:
    acme, globex = make_homes(2)
    release.add()
    set_tenant(acme.tenant_id, activity="moving")
    run = migrate(max_failure_ratio=1.0)
    assert errors(run.id) == {home_name(acme): run_steps.MOVING}
    assert outcomes(run.id)[home_name(globex)] == "done"


def test_homes_on_a_server_that_is_away_fail_and_the_others_go_on(release: Release, instance: Settings) -> None:
    away = [make_home(f"away-{tier}", tier, ANNEX) for tier in (Tier.SCHEMA, Tier.DATABASE)]
    (acme,) = make_homes(1)
    newest = release.add()
    urls = ServerUrls(instance)
    known = urls.get(Login.OWNER, DatabaseAddress(ANNEX))
    urls.write(ANNEX, Login.OWNER, "postgresql://tenantry_owner@127.0.0.1:1/nowhere")
    try:
        run = migrate(max_failure_ratio=1.0)
    finally:
        urls.write(ANNEX, Login.OWNER, known)
    assert (run.state, set(errors(run.id))) == (RunState.DONE, {ANNEX, *(home_name(home) for home in away)})
    assert "No connection to the database" in errors(run.id).pop(ANNEX)
    assert all("does not answer" in errors(run.id)[home_name(home)] for home in away)
    assert state_of(acme) == (True, newest, newest)
    act(run.id, services.retry_failed)
    run_jobs()
    assert [state_of(home) for home in away] == [(True, newest, newest)] * 2


def test_a_database_that_is_gone_is_no_reason_to_give_up_its_server(
    release: Release, other_superuser_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "WORKERS", 1)  # It comes to the one that is gone first.
    gone, acme = make_homes(2, Tier.DATABASE, ANNEX)
    newest = release.add()
    with psycopg.connect(other_superuser_url, autocommit=True) as superuser:
        superuser.execute(f"drop database {gone.placement.database} with (force)")
    with owner_connection() as control:
        behind = {key: found for key, found in run_steps.find_behind(control).items() if key.database}
    homes = [HomeToMigrate(key, found, wanted_version(key, found, newest)) for key, found in behind.items()]
    said = {outcome.key.database: outcome.error for outcome in migrating.migrate_homes(homes)}
    assert "does not answer" in said[home_name(gone)]
    assert said[home_name(acme)] is None
    assert state_of(acme) == (True, newest, newest)


def test_a_run_whose_operation_fails_is_stopped_and_goes_on_with_it(release: Release) -> None:
    (acme,) = make_homes(1)
    newest = release.add()
    with owner_connection() as control:
        control.execute("alter table control.fleet_run_homes add constraint full_up check (false) not valid")
        try:
            run_id = start()
            use_up_attempts()
        finally:
            control.execute("alter table control.fleet_run_homes drop constraint full_up")
    assert get_run(run_id).state == RunState.STOPPED
    assert "full_up" in events_of(run_id)[-1].reason
    operation_id = get_run(run_id).operation_id
    with platform_scope("test"):
        retry_operation(operation_id, actor=ADA)
    assert get_run(run_id).state == RunState.RUNNING
    run_jobs()
    assert (get_run(run_id).state, state_of(acme)) == (RunState.DONE, (True, newest, newest))
    assert [event.action for event in events_of(run_id)][-3:] == [
        "fleet_run.ended", "fleet_run.resumed", "fleet_run.ended"
    ]  # fmt: skip


def events_of(run_id: UUID) -> list[ControlAuditEvent]:
    """Return the events of a run, the oldest first."""
    return sorted((row for row in rows_of(ControlAuditEvent) if row.target_id == run_id), key=lambda row: row.id)
