"""A run brings every home to the newest version, and says exactly what has become of each."""

from __future__ import annotations

import pytest

from app.audit.models import ControlAuditEvent
from app.core.database.home_versions import HomeKey
from app.core.database.owner import owner_connection
from app.core.database.versions import newest_version
from app.core.tenancy.scopes import Tier, platform_scope
from app.homes import services
from app.homes.fleet import assign_rings
from app.homes.models import RunState
from tests.factories import rows_of
from tests.homes.fleets import errors, get_run, home_name, make_homes, migrate, outcomes, state_of
from tests.homes.placing import PLACES, make_home
from tests.homes.releases import TEMPLATES, Release
from tests.operations.toys import ADA
from tests.tenant_rows import route_of
from tests.work import run_jobs

EXTRA = 'op.execute("create table if not exists tenancy.extra ()")'
BREAK_ONE = """op.execute("do $$ begin if current_schema() = '{schema}' then raise 'no luck'; end if; end $$")"""

BREAK_ALL = """op.execute("do $$ begin if current_schema() ~ '^t_' then raise 'no luck'; end if; end $$")"""


@pytest.mark.parametrize(("tier", "server"), PLACES)
def test_a_home_in_any_place_comes_to_the_newest_version(release: Release, tier: Tier, server: str) -> None:
    acme = make_home("acme", tier, server)
    newest = release.add()
    run = migrate()
    assert (run.state, run.to_version, errors(run.id)) == (RunState.DONE, newest, {})
    assert state_of(acme) == (True, newest, newest)
    assert route_of(acme.tenant_id).home_version == newest


def test_a_database_of_one_home_brings_its_schema_tenancy_along(release: Release) -> None:
    acme = make_home("acme", Tier.DATABASE, "main")
    tenancy = release.add(EXTRA, 'op.execute("drop table if exists tenancy.extra")', "tenancy")
    newest = release.add()
    assert migrate().state == RunState.DONE
    with owner_connection(acme.placement.address) as connection:
        assert connection.execute("select version_num from tenancy.alembic_version").fetchone() == (tenancy,)
        assert connection.execute("select to_regclass('tenancy.extra')").fetchone() == ("tenancy.extra",)
    assert state_of(acme) == (True, newest, newest)


def test_homes_made_afterwards_have_the_new_version_and_old_templates_are_gone(release: Release) -> None:
    make_home("acme", Tier.DATABASE, "main")
    newest = release.add()
    migrate()
    for tier in (Tier.SCHEMA, Tier.DATABASE):
        assert state_of(make_home(f"new-{tier}", tier, "main")) == (True, newest, newest)
    with owner_connection() as connection:
        names = connection.execute(TEMPLATES).fetchall()
        own = connection.info.dbname
    assert names == [(f"{own}_home_{newest_version('tenancy')}_{newest}",)]


def test_a_release_may_skip_versions(release: Release) -> None:
    (acme,) = make_homes(1)
    release.add()
    newest = release.add('op.execute("create table more (tenant_id uuid, id uuid)")', 'op.execute("drop table more")')
    assert migrate().state == RunState.DONE
    assert state_of(acme) == (True, newest, newest)


def test_every_home_is_attempted_and_the_failed_one_is_named(release: Release) -> None:
    homes = make_homes(4)
    release.add(BREAK_ONE.format(schema=home_name(homes[0])), "pass")
    run = migrate(max_failure_ratio=1.0)
    assert run.state == RunState.DONE
    assert list(errors(run.id)) == [home_name(homes[0])]
    assert "no luck" in errors(run.id)[home_name(homes[0])]
    assert [outcomes(run.id)[home_name(home)] for home in homes[1:]] == ["done"] * 3


def test_a_run_with_too_many_failures_stops_before_the_next_ring(release: Release) -> None:
    homes = make_homes(4)
    release.add(BREAK_ALL, "pass")
    run = migrate()
    found = sorted(outcomes(run.id)[home_name(home)] for home in homes)
    assert (run.state, found) == (RunState.STOPPED, ["failed", "pending", "pending", "pending"])
    reasons = [event.reason for event in rows_of(ControlAuditEvent) if event.target_kind == "fleet run"]
    assert "stopped: 1 migrated, 1 failed, 3 not attempted" in reasons  # The pool came first.


def test_a_stopped_run_goes_on_without_those_that_have_failed(release: Release) -> None:
    homes = make_homes(3)
    release.add(BREAK_ONE.format(schema=canary_of(homes)), "pass")
    run = migrate()
    assert run.state == RunState.STOPPED
    with platform_scope("test"):
        services.resume_run(run.id, actor=ADA)
    run_jobs()
    assert get_run(run.id).state == RunState.DONE
    assert list(errors(run.id)) == [canary_of(homes)]


def canary_of(homes: list) -> str:
    """Return the name of the home that a run comes to first."""
    keys = [HomeKey("main", "", home_name(home)) for home in homes]
    return assign_rings(keys, set())[0][0].schema
