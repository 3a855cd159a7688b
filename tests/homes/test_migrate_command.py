"""`flask migrate` brings main, the servers and every home up to date, and says what did not go well."""

from __future__ import annotations

import json

from app.core.tenancy.scopes import Tier, platform_scope
from app.homes import services
from app.homes.models import FleetRun, RunState
from app.web.hosts import Portal
from tests.factories import rows_of
from tests.homes.fleets import home_name, make_homes, start, state_of
from tests.homes.placing import make_home
from tests.homes.releases import Release
from tests.homes.test_migrate_fleet import BREAK_ALL, BREAK_ONE
from tests.operations.toys import ADA
from tests.servers import ANNEX


def invoke(app: Portal, *arguments: str) -> tuple[int, str]:
    """Call the command; return its exit code and what it said."""
    result = app.test_cli_runner().invoke(args=["migrate", *arguments])
    return result.exit_code, (result.stdout + result.stderr).strip()


def test_every_home_on_every_server_is_migrated_with_it(app: Portal, release: Release) -> None:
    homes = [*make_homes(2), make_home("far", Tier.SCHEMA, ANNEX), make_home("alone", Tier.DATABASE, ANNEX)]
    newest = release.add()
    # Main's own pool was migrated before the run: the annex's and four homes are left.
    assert invoke(app) == (0, "The run is done: 5 homes migrated, 0 failed, 0 not attempted.")
    assert [state_of(home) for home in homes] == [(True, newest, newest)] * 4
    assert invoke(app) == (0, "The database is at the newest schema.")


def test_a_home_that_fails_is_a_line_and_an_exit_code(app: Portal, release: Release) -> None:
    homes = make_homes(3)
    release.add(BREAK_ONE.format(schema=home_name(homes[0])), "pass")
    code, said = invoke(app, "--failures", "100")
    assert code == 1
    assert f"main/{home_name(homes[0])}: RaiseException: no luck" in said
    assert "The run is done: 2 homes migrated, 1 failed, 0 not attempted." in said


def test_the_report_is_json_when_asked(app: Portal, release: Release) -> None:
    homes = make_homes(1)
    newest = release.add(BREAK_ALL, "pass")
    code, said = invoke(app, "--json")
    found = json.loads(said)
    assert (code, found["version"], found["run"]["state"]) == (1, newest, RunState.STOPPED)
    assert found["run"]["failed"][0][0] == f"main/{home_name(homes[0])}"


def test_without_homes_they_stay_as_they_are(app: Portal, release: Release) -> None:
    (acme,) = make_homes(1)
    before = state_of(acme)
    release.add()
    assert invoke(app, "--without-homes")[0] == 0
    assert (state_of(acme), rows_of(FleetRun)) == (before, [])


def test_a_run_that_was_left_in_the_middle_is_brought_to_its_end(app: Portal, release: Release) -> None:
    (acme,) = make_homes(1)
    newest = release.add()
    run_id = start()
    assert invoke(app)[0] == 0
    assert [(run.id, run.state) for run in rows_of(FleetRun)] == [(run_id, RunState.DONE)]
    assert state_of(acme) == (True, newest, newest)


def test_a_paused_run_is_gone_on_with_only_when_asked(app: Portal, release: Release) -> None:
    (acme,) = make_homes(1)
    newest = release.add()
    run_id = start()
    with platform_scope("test"):
        services.pause_run(run_id, actor=ADA)
    assert invoke(app) == (1, "Another run is running or paused.")
    assert invoke(app, "--resume")[0] == 0
    assert state_of(acme) == (True, newest, newest)
