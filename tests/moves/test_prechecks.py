"""What is looked at before a move or a clone copies a home: what stands in the way is said, and nothing is built."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from psycopg.errors import LockNotAvailable

from app.core.database.owner import owner_connection
from app.core.database.session import db, engines
from app.core.database.transactions import transaction
from app.core.database.versions import MIGRATION_LOCK
from app.core.errors import StateError
from app.core.tenancy.scopes import DatabaseAddress, TenantRoute, Tier, platform_scope, tenant_scope
from app.moves import prechecks
from app.operations.queries import find_latest_operation, list_steps
from app.settings.models import Setting
from app.web.hosts import Portal
from tests.clones.acts import ask, clone, use_up_attempts
from tests.clones.acts import read as read_tenant
from tests.moves.acts import activity, fail_for_good, read, start
from tests.moves.obstacles import (
    MIB,
    altered,
    check_clone,
    check_move,
    grow,
    meanwhile,
    set_limit,
    working,
)
from tests.moves.stock import home_state, make_stocked, route_to
from tests.servers.acts import add_annex
from tests.tenant_rows import route_of
from tests.work import run_jobs

Check = Callable[..., str]


@pytest.fixture
def acme(app: Portal, annex: str) -> TenantRoute:
    add_annex()
    return make_stocked("acme", Tier.SCHEMA, "main")


both = pytest.mark.parametrize("check", [check_move, check_clone])


def needed_mib(findings: str) -> float:
    return float(findings.partition("about ")[2].partition(" MiB")[0].replace(",", ""))


@both
def test_without_a_limit_the_room_is_not_checked_and_that_is_said(acme: TenantRoute, check: Check) -> None:
    assert "on annex; room is not checked, because no limit is set." in check(acme)
    set_limit("annex", 900 * MIB)
    assert "of 900.0 MiB are free" in check(acme)


@both
@pytest.mark.parametrize("tier", [*Tier])
def test_a_server_with_too_little_room_is_refused(acme: TenantRoute, check: Check, tier: Tier) -> None:
    grow(acme, 3 * MIB)
    with owner_connection(DatabaseAddress("annex")) as owner:
        used = prechecks.measure_size(owner)
    set_limit("annex", used + 2 * MIB)
    with pytest.raises(
        StateError, match=r"needs about .* MiB on annex, where [012]\.\d MiB of .* are free; make room there"
    ):
        check(acme, tier)
    set_limit("annex", used + 40 * MIB)
    assert "of" in check(acme, tier)


def test_what_a_home_needs_is_its_own_rows_wherever_it_lies(app: Portal, annex: str) -> None:
    add_annex()
    [pooled, apart, neighbour] = [
        make_stocked(slug, tier, "main")
        for slug, tier in (("acme", Tier.POOL), ("globex", Tier.SCHEMA), ("initech", Tier.POOL))
    ]
    small = needed_mib(check_move(pooled))
    grow(neighbour, 4 * MIB)
    assert needed_mib(check_move(pooled)) == pytest.approx(small, abs=0.2)
    for tenant in (pooled, apart):
        before = needed_mib(check_move(tenant))
        grow(tenant, 2 * MIB)
        assert 1.8 <= needed_mib(check_move(tenant)) - before <= 3.5


def test_a_pool_takes_the_rows_twice_for_a_while_and_a_database_more_than_its_rows(acme: TenantRoute) -> None:
    grow(acme, 2 * MIB)
    schema, pool, database = (needed_mib(check_move(acme, tier)) for tier in (Tier.SCHEMA, Tier.POOL, Tier.DATABASE))
    assert pool == pytest.approx(2 * schema, abs=0.2)
    assert 5 < database - schema < 20


@both
def test_a_home_at_a_version_that_is_not_served_is_refused(acme: TenantRoute, check: Check) -> None:
    schema = acme.placement.schema
    version = "update tenancy.home_versions set version = '{}' where schema_name = '" + schema + "'"
    with (
        altered("main", version.format("0000"), version.format("0002")),
        pytest.raises(StateError, match=f"main/{schema} is at version 0000, which this release does not serve"),
    ):
        check(acme)
    with owner_connection() as owner:
        owner.execute("delete from tenancy.home_versions where schema_name = %s", (schema,))
    with pytest.raises(StateError, match="at version unknown"):
        check(acme)


@both
def test_a_target_that_was_not_migrated_is_refused(acme: TenantRoute, check: Check) -> None:
    with owner_connection(DatabaseAddress("annex")) as owner:
        [(tenancy,)] = owner.execute("select version_num from tenancy.alembic_version").fetchall()
        [(home,)] = owner.execute("select version from tenancy.home_versions where schema_name = 'pool'").fetchall()
    set_tenancy = "update tenancy.alembic_version set version_num = '{}'"
    with (
        altered("annex", set_tenancy.format("0001"), set_tenancy.format(tenancy)),
        pytest.raises(StateError, match="The server annex has not been migrated to this release"),
    ):
        check(acme)
    set_home = "update tenancy.home_versions set version = '{}' where schema_name = 'pool'"
    with altered("annex", set_home.format("9999"), set_home.format(home)):
        with pytest.raises(StateError, match="annex/pool is at version 9999"):
            check(acme, Tier.POOL)
        check(acme)  # Its pool is not where this one goes.


@both
def test_a_home_that_is_being_migrated_or_mended_is_refused(acme: TenantRoute, check: Check) -> None:
    schema = acme.placement.schema
    with (
        meanwhile("main", "select pg_advisory_xact_lock(hashtextextended(%s, 0))", schema),
        pytest.raises(StateError, match=f"is migrating or mending main/{schema}; wait for its end"),
    ):
        check(acme)
    with (
        meanwhile("annex", "select pg_advisory_xact_lock(%s)", MIGRATION_LOCK),
        pytest.raises(StateError, match="is migrating or mending annex/pool"),
    ):
        check(acme, Tier.POOL)
    with meanwhile("main", "select pg_advisory_xact_lock(hashtextextended(%s, 0))", "another home"):
        check(acme)


def test_a_transaction_that_is_open_for_long_stops_a_move_and_no_clone(
    acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working(acme):
        check_move(acme)  # It is not old yet.
        monkeypatch.setattr(prechecks, "LONG_SECONDS", 0)
        with pytest.raises(
            StateError, match=r"of tenantry_tenant in .* open since 20\d\d-.* UTC.*pg_terminate_backend"
        ):
            check_move(acme)
        check_clone(acme)
    check_move(acme)


def test_one_that_has_only_read_stops_a_move_too_because_the_fence_would_wait_for_it(
    acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prechecks, "LONG_SECONDS", 0)
    with working(acme, "select 1"), pytest.raises(StateError, match="has kept a transaction open since"):
        check_move(acme)


def test_in_a_pool_the_writers_of_all_tenants_count_and_those_of_other_tables_do_not(
    acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prechecks, "LONG_SECONDS", 0)
    globex = make_stocked("globex", Tier.POOL, "annex")
    with working(globex):
        with pytest.raises(StateError, match="has kept a transaction open since"):
            check_move(acme, Tier.POOL)
        check_move(acme, Tier.SCHEMA)
        check_clone(acme, Tier.POOL)


@both
def test_a_lock_that_came_a_moment_ago_is_waited_for_and_then_named(
    acme: TenantRoute, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prechecks, "LONG_SECONDS", 1)
    with meanwhile("main", f"lock table {acme.placement.schema}.members in access exclusive mode"):
        with pytest.raises((LockNotAvailable, StateError)):
            check(acme)
        with pytest.raises(StateError, match="has kept a transaction open since"):
            check(acme)


def test_what_keeps_readers_out_for_long_stops_a_clone_too(acme: TenantRoute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prechecks, "LONG_SECONDS", 0)
    with (
        meanwhile("main", f"lock table {acme.placement.schema}.members in access exclusive mode"),
        pytest.raises(StateError, match="has kept a transaction open since"),
    ):
        check_clone(acme)


@both
@pytest.mark.parametrize("crowded", ["main", "annex"])
def test_a_database_without_connections_to_spare_is_refused(
    acme: TenantRoute, check: Check, crowded: str, worker_id: str
) -> None:
    name = f"{'tenantry' if crowded == 'main' else 'annex'}_{worker_id}"
    with owner_connection(DatabaseAddress(crowded)) as owner:
        [(count,)] = owner.execute(f"select numbackends from pg_stat_database where datname = '{name}'").fetchall()
    limit = f"alter database {name} connection limit {{}}"
    with (
        altered(crowded, limit.format(count + 1), limit.format(-1)),
        pytest.raises(StateError, match=f"The database {crowded} takes . connections more, and a copy needs 2"),
    ):
        check(acme)


@both
def test_a_spent_budget_of_connections_is_refused_up_front(
    acme: TenantRoute, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = engines().budget
    engines().dispose()  # What is idle would be given up for it.
    monkeypatch.setattr(budget, "limit", prechecks.CONNECTIONS)  # The source's own connection is one too many.
    with pytest.raises(StateError, match=r"needs 4 database connections more, and this worker holds .*_CONNECTIONS"):
        check(acme)
    monkeypatch.setattr(budget, "limit", prechecks.CONNECTIONS + 1)
    check(acme)


def test_a_move_that_finds_too_little_room_builds_nothing_and_can_be_started_again(acme: TenantRoute) -> None:
    set_limit("annex", 1)
    move = fail_for_good(acme, Tier.SCHEMA, "annex")
    assert (move.state, activity(acme), route_of(acme.tenant_id)) == ("failed", "none", acme)
    assert "raise its storage limit or choose another server, then start again." in move.error
    assert home_state(acme, route_to(acme, Tier.SCHEMA, "annex").target) is None
    with tenant_scope(acme, reason="test"), transaction():
        db.session.add(Setting(key="on", value=1))
    set_limit("annex", 900 * MIB)
    again = start(acme)
    run_jobs()
    assert (read(again).state, "of 900.0 MiB are free" in read(again).findings) == ("kept", True)


def test_a_clone_that_finds_too_little_room_builds_nothing_and_can_be_started_again(acme: TenantRoute) -> None:
    set_limit("annex", 1)
    clone_id = ask(acme, tier=Tier.SCHEMA, server="annex")
    use_up_attempts()
    made = read_tenant(clone_id)
    assert (made.status, "choose another server, then start again." in made.status_reason) == ("deleted", True)
    with owner_connection(DatabaseAddress("annex")) as owner:
        assert owner.execute("select count(*) from tenancy.homes where tenant_id = %s", (clone_id,)).fetchone() == (0,)
    set_limit("annex", None)
    assert clone(acme, tier=Tier.SCHEMA, server="annex").status == "active"


def test_what_was_found_is_shown_while_a_clone_is_made(acme: TenantRoute) -> None:
    clone_id = ask(acme, tier=Tier.SCHEMA, server="annex")
    run_jobs()
    with platform_scope("test"):
        operation = find_latest_operation(clone_id)
        details = {step.name: step.detail for step in list_steps(operation.id)}
    assert "room is not checked" in details["check"]
