"""Claiming a ready home: each goes to one tenant, none of an old version, nobody's row in any, none lost by a kill."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from psycopg import sql

from app.core.config import Settings
from app.core.database.owner import owner_connection
from app.core.tenancy.scopes import Tier, platform_scope, tenant_scope
from app.homes import building, making, ready_homes
from app.homes.building import build_home, place_home
from app.homes.structure import compare, read_structure
from app.members.services import create_default_roles
from app.moves.services import start_move
from app.web.hosts import Portal
from tests.factories import SETUP
from tests.homes.placing import make_home
from tests.homes.ready import OWN_TIERS, alone_with_ready_homes, fill, known, no_making, there, want  # noqa: F401  # One is a fixture.
from tests.homes.releases import Release
from tests.servers import environment_of
from tests.tenant_rows import insert_tenant, route_of
from tests.work import run_jobs

MAY_ENTER = "select has_schema_privilege('tenantry_tenant', %s, 'usage')"
UNFORCE, FORCE = (f"alter table {{}} {verb} row level security" for verb in ("no force", "force"))
ROW = "insert into {} values (gen_random_uuid(), gen_random_uuid(), 'a', '1', now())"
TAKES_NOBODY = "select not datallowconn from pg_database where datname = %s"


@pytest.mark.parametrize("tier", OWN_TIERS)
def test_a_tenant_gets_a_ready_home_that_is_like_any_other(
    app: Portal, monkeypatch: pytest.MonkeyPatch, tier: Tier
) -> None:
    want(1, 1)
    fill()
    left = len(there()) - 1
    no_making(monkeypatch)
    acme = make_home("acme", tier, "main")
    assert len(there()) == len(known()) == left
    with owner_connection(acme.placement.address) as connection:
        assert compare(building.read_template(), read_structure(connection, acme.placement.schema)) == []
    with tenant_scope(acme, reason="test"):
        create_default_roles(actor=SETUP)
    assert route_of(acme.tenant_id).home_version == building.read_template().version


def test_a_move_to_a_database_claims_a_ready_one(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    want(0, 1)
    fill()
    acme = make_home("acme", Tier.POOL, "main")
    no_making(monkeypatch)
    with platform_scope("test"):
        start_move(acme.tenant_id, tier=Tier.DATABASE, server="main", actor=SETUP)
    run_jobs()
    assert (route_of(acme.tenant_id).placement.tier, there()) == (Tier.DATABASE, [])


def test_nobody_enters_a_home_before_it_is_claimed(app: Portal) -> None:
    want(1, 1)
    fill()
    with owner_connection() as connection:
        for name in there():
            is_schema = connection.execute("select to_regnamespace(%s) is not null", (name,)).fetchone()[0]
            if is_schema:
                assert connection.execute(MAY_ENTER, (name,)).fetchone() == (False,)
            else:
                assert connection.execute(TAKES_NOBODY, (name,)).fetchone() == (True,)


def test_a_home_with_a_row_is_dropped_and_never_claimed(app: Portal) -> None:
    want(1, 0)
    fill()
    [name] = there()
    with owner_connection() as connection:
        for statement in (UNFORCE, ROW, FORCE):
            connection.execute(sql.SQL(statement).format(sql.Identifier(name, "settings")))
    acme = make_home("acme", Tier.SCHEMA, "main")
    with owner_connection() as connection:
        found = connection.execute(f"select pg_relation_size('{acme.placement.schema}.settings')").fetchone()
    assert (found, there(), known()) == ((0,), [], [])


@pytest.mark.parametrize("tier", OWN_TIERS)
def test_two_claims_at_once_get_two_homes(app: Portal, monkeypatch: pytest.MonkeyPatch, tier: Tier) -> None:
    want(4, 4)
    fill()
    no_making(monkeypatch)
    tenants = [insert_tenant(f"tenant-{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(_build, app, tenant_id, tier) for tenant_id in tenants]:
            done.result()
    assert len(there()) == len(known()) == 4


def _build(app: Portal, tenant_id: UUID, tier: Tier) -> None:
    with app.app_context():
        build_home(tenant_id, place_home(tenant_id, tier, "main"))


def test_a_row_without_its_home_is_forgotten_and_the_next_one_claimed(app: Portal) -> None:
    want(2, 2)
    fill()
    with owner_connection() as connection:
        first = {home.tier: home.name for home in reversed(ready_homes._list(connection, "main"))}
        making.drop_schema(connection, first[Tier.SCHEMA])
        connection.execute(f"drop database {first[Tier.DATABASE]}")
    for tier in OWN_TIERS:
        make_home(f"in-{tier}", tier, "main")
    assert there() == known() == []


def test_an_old_one_waits_unclaimed_until_it_is_dropped(app: Portal, release: Release) -> None:
    want(1, 1)
    fill()
    old = there()
    release.add()
    for tier in OWN_TIERS:
        make_home(f"in-{tier}", tier, "main")
    assert there() == known() == old


@pytest.mark.parametrize("tier", OWN_TIERS)
def test_whoever_is_killed_at_any_statement_loses_no_home(app: Portal, instance: Settings, tier: Tier) -> None:
    command = [sys.executable, "-m", "tests.homes.killed_claim", tier.value]
    done = subprocess.run(command, env=environment_of(instance), capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert [outcome["killed"] for outcome in outcomes] == [True] * (len(outcomes) - 1) + [False]
    assert len(outcomes) > 10
    assert [outcome for outcome in outcomes if not outcome["whole"]] == []
