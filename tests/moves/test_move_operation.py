"""A move as an operation: asked for, run by the worker, kept, taken back or finished, and given up by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.database.owner import owner_connection
from app.core.errors import ConflictError, InputError, StateError
from app.core.tenancy.scopes import DatabaseAddress, TenantRoute, Tier, platform_scope
from app.moves import services
from app.moves.jobs import finish
from app.moves.queries import find_open_move
from app.operations.queries import find_latest_operation
from app.web.hosts import Portal
from tests.factories import SETUP
from tests.moves.acts import activity, move_events, read, region, start
from tests.moves.stock import make_stocked, rows_at
from tests.servers.acts import add_annex
from tests.tenant_rows import make_tenant_rows, route_of
from tests.work import make_jobs_due, run_jobs


@pytest.fixture
def acme(app: Portal, annex: str) -> TenantRoute:
    add_annex()
    return make_stocked("acme", Tier.POOL, "main")


def test_a_move_ends_with_the_tenant_there_and_the_old_home_kept(acme: TenantRoute) -> None:
    before = rows_at(acme, acme.placement)
    move_id = start(acme)
    assert activity(acme) == "moving"
    run_jobs()
    move, moved = read(move_id), route_of(acme.tenant_id)
    assert (move.state, activity(acme), move.error) == ("kept", "none", None)
    assert (moved.placement.tier, moved.placement.server, moved.placement.epoch) == (Tier.SCHEMA, "annex", 2)
    assert rows_at(moved, moved.placement) == before
    assert move.row_count == sum(map(len, before.values()))
    assert move.pause_milliseconds is not None
    assert move_events(acme) == ["move.started", "move.switched"]


def test_the_region_is_that_of_the_server_and_another_tier_changes_none(acme: TenantRoute) -> None:
    with owner_connection(DatabaseAddress("main")) as connection:
        connection.execute("update control.tenants set region = 'us-east' where id = %s", (acme.tenant_id,))
    regions = []
    for tier, server in ((Tier.SCHEMA, "main"), (Tier.SCHEMA, "annex")):
        move_id = start(acme, tier, server)
        run_jobs()
        regions.append(region(acme))
        with platform_scope("test"):
            services.start_return(move_id, actor=SETUP)
        run_jobs()
        regions.append(region(acme))
    assert regions == ["us-east", "us-east", "eu-west", "eu-central"]


def test_an_old_home_that_was_kept_long_enough_is_dropped(acme: TenantRoute) -> None:
    move_id = start(acme)
    run_jobs()
    with platform_scope("test"):
        services.finish_overdue_moves()
    assert read(move_id).state == "kept"
    with clock.shifted(services.KEPT + timedelta(minutes=1)), platform_scope("test"):
        finish({})
    make_jobs_due()
    run_jobs()
    assert read(move_id).state == "finished"
    with owner_connection() as owner:
        query = "select count(*) from tenancy.homes where tenant_id = %s and epoch = 2"
        assert owner.execute(query, (acme.tenant_id,)).fetchone() == (1,)
    assert {*move_events(acme)} == {"move.started", "move.switched", "move.purge_requested", "move.finished"}


def test_a_move_is_taken_back(acme: TenantRoute) -> None:
    before = rows_at(acme, acme.placement)
    move_id = start(acme, Tier.DATABASE)
    run_jobs()
    with platform_scope("test"):
        services.start_return(move_id, actor=SETUP)
    run_jobs()
    returned = route_of(acme.tenant_id)
    assert (returned.placement.tier, returned.placement.server, returned.placement.epoch) == (Tier.POOL, "main", 3)
    assert (read(move_id).state, activity(acme)) == ("returned", "none")
    assert rows_at(returned, returned.placement) == before
    again = start(returned, Tier.SCHEMA, "main")
    run_jobs()
    assert read(again).state == "kept"


def test_a_tenant_has_one_move_at_a_time(acme: TenantRoute) -> None:
    start(acme)
    with pytest.raises((StateError, ConflictError)):
        start(acme, Tier.DATABASE)
    run_jobs()
    with pytest.raises(StateError, match="finish it or go back"):
        start(acme, Tier.DATABASE)
    with platform_scope("test"):
        assert find_open_move(acme.tenant_id).state == "kept"


def test_where_it_lies_already_is_no_place_to_move_to(acme: TenantRoute) -> None:
    with pytest.raises(InputError, match="there already"):
        start(acme, Tier.POOL, "main")


def test_a_tenant_without_a_home_cannot_move(app: Portal, annex: str) -> None:
    acme = make_tenant_rows("acme", status="failed")
    with pytest.raises(StateError, match="no home that could be moved"):
        start(acme)


def test_only_a_kept_old_home_can_be_gone_back_to_or_dropped(acme: TenantRoute) -> None:
    move_id = start(acme)
    for act in (services.start_return, services.start_purge):
        with pytest.raises(StateError, match="not kept"), platform_scope("test"):
            act(move_id, actor=SETUP)


def test_the_operation_shows_how_far_it_has_come(acme: TenantRoute) -> None:
    start(acme)
    run_jobs()
    with platform_scope("test"):
        operation = find_latest_operation(acme.tenant_id)
    assert (operation.kind, operation.state, operation.done_count) == ("moves.move", "done", 6)
