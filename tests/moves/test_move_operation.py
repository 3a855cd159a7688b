"""A move as an operation: asked for, run by the worker, kept, taken back or finished, and given up by itself."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.audit.models import ControlAuditEvent
from app.core import clock
from app.core.config import Settings
from app.core.database.owner import owner_connection
from app.core.database.server_urls import ServerUrls
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import ConflictError, InputError, StateError, UnavailableError
from app.core.tenancy.scopes import DatabaseAddress, Login, TenantRoute, Tier, platform_scope, tenant_scope
from app.moves import engine, services
from app.moves.jobs import finish
from app.moves.models import Move
from app.moves.queries import find_open_move, get_move
from app.operations.queries import find_latest_operation
from app.settings.models import Setting
from app.tenants.queries import get_tenant
from app.web.hosts import Portal
from tests.factories import SETUP, actions_of, rows_of
from tests.moves.stock import make_stocked, rows_at
from tests.servers.acts import add_annex, run_to_the_end
from tests.tenant_rows import make_tenant_rows, route_of
from tests.work import make_jobs_due, run_jobs


@pytest.fixture
def acme(app: Portal, annex: str) -> TenantRoute:
    add_annex()
    return make_stocked("acme", Tier.POOL, "main")


def start(tenant: TenantRoute, tier: Tier = Tier.SCHEMA, server: str = "annex") -> UUID:
    with platform_scope("test"):
        return services.start_move(tenant.tenant_id, tier=tier, server=server, actor=SETUP)


def read(move_id: UUID) -> Move:
    with platform_scope("test"):
        return get_move(move_id)


def region(tenant: TenantRoute) -> str:
    with platform_scope("test"):
        return get_tenant(tenant.tenant_id).region


def activity(tenant: TenantRoute) -> str:
    with platform_scope("test"):
        return get_tenant(tenant.tenant_id).activity


def move_events(tenant: TenantRoute) -> list[str]:
    events = [event for event in rows_of(ControlAuditEvent) if event.action.startswith("move.")]
    assert {event.tenant_id for event in events} == {tenant.tenant_id}
    return actions_of(events)


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


@pytest.mark.parametrize("step", ["check", "copy", "catch_up", "turn"])
def test_a_move_that_fails_before_the_switch_returns_by_itself(
    acme: TenantRoute, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_at(acme, acme.placement)

    def fail(*_given: object, **_more: object) -> None:
        raise StateError("the disk is full")

    monkeypatch.setattr(engine, step, fail)
    move_id = start(acme)
    for _attempt in range(6):
        run_jobs(may_fail=True)
        make_jobs_due()
    run_jobs()
    move = read(move_id)
    assert (move.state, activity(acme)) == ("failed", "none")
    assert "the disk is full" in move.error
    assert route_of(acme.tenant_id).placement == acme.placement
    assert rows_at(acme, acme.placement) == before
    assert move_events(acme) == ["move.started", "move.failed"]
    monkeypatch.undo()
    again = start(acme)
    run_jobs()
    assert read(again).state == "kept"


def fail_for_good(tenant: TenantRoute, tier: Tier, server: str) -> Move:
    """Start a move and let its job use up its attempts."""
    move_id = start(tenant, tier, server)
    for _attempt in range(6):
        run_jobs(may_fail=True)
        make_jobs_due()
    run_jobs(may_fail=True)
    return read(move_id)


@pytest.mark.parametrize("tier", [Tier.SCHEMA, Tier.DATABASE, Tier.POOL])
def test_a_target_that_is_away_leaves_the_tenant_where_it_is(
    acme: TenantRoute, instance: Settings, tier: Tier, annex: str
) -> None:
    before, urls = rows_at(acme, acme.placement), ServerUrls(instance)
    kept = urls.get(Login.OWNER, DatabaseAddress(annex))
    urls.write(annex, Login.OWNER, "postgresql://tenantry_owner:x@127.0.0.1:1/annex")
    move = fail_for_good(acme, tier, annex)
    urls.write(annex, Login.OWNER, kept)
    assert (move.state, activity(acme), route_of(acme.tenant_id).placement) == ("failed", "none", acme.placement)
    assert "does not answer" in move.error
    assert rows_at(acme, acme.placement) == before
    again = start(acme, tier, annex)
    run_jobs()
    assert read(again).state == "kept"


def test_a_target_that_goes_away_after_the_copy_is_left_behind(
    acme: TenantRoute, instance: Settings, annex: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls, known = ServerUrls(instance), DatabaseAddress(annex)
    kept = urls.get(Login.OWNER, known)

    def lose_target(*_given: object) -> None:
        urls.write(annex, Login.OWNER, "postgresql://tenantry_owner:x@127.0.0.1:1/annex")
        raise UnavailableError("The database annex does not answer.")

    monkeypatch.setattr(engine, "catch_up", lose_target)
    move = fail_for_good(acme, Tier.SCHEMA, annex)
    urls.write(annex, Login.OWNER, kept)
    assert (move.state, activity(acme), route_of(acme.tenant_id).placement) == ("failed", "none", acme.placement)
    assert "What was copied to schema on annex is left there" in move.error
    with tenant_scope(acme, reason="test"), transaction():
        db.session.add(Setting(key="on", value=1))
    monkeypatch.undo()
    again = start(acme, Tier.SCHEMA, annex)
    run_jobs()
    assert read(again).state == "kept"


def test_a_target_without_space_leaves_the_tenant_where_it_is(
    acme: TenantRoute, annex: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "check", lambda _route: None)  # It would refuse the trigger that plays the full disk.
    with owner_connection(DatabaseAddress(annex)) as owner:
        owner.execute(
            "create function tenancy.full() returns trigger language plpgsql as "
            "$$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$"
        )
        owner.execute("create trigger no_space before insert on pool.members execute function tenancy.full()")
    move = fail_for_good(acme, Tier.POOL, annex)
    with owner_connection(DatabaseAddress(annex)) as owner:
        owner.execute("drop function tenancy.full() cascade")
    assert (move.state, route_of(acme.tenant_id).placement) == ("failed", acme.placement)
    assert "No space left on device" in move.error


def test_a_target_that_is_away_after_the_switch_costs_nobody_else_anything(
    acme: TenantRoute, instance: Settings, annex: str
) -> None:
    globex, urls = make_stocked("globex", Tier.POOL, "main"), ServerUrls(instance)
    start(acme, Tier.SCHEMA, annex)
    run_jobs()
    kept = urls.get(Login.TENANT, DatabaseAddress(annex))
    urls.write(annex, Login.TENANT, "postgresql://tenantry_tenant:x@127.0.0.1:1/annex")
    with pytest.raises(UnavailableError), tenant_scope(route_of(acme.tenant_id), reason="test"):
        db.session.scalars(select(Setting)).all()
    with tenant_scope(globex, reason="test"):
        assert db.session.scalars(select(Setting)).all()
    urls.write(annex, Login.TENANT, kept)
    with tenant_scope(route_of(acme.tenant_id), reason="test"):
        assert db.session.scalars(select(Setting)).all()


def test_a_return_that_fails_leaves_the_tenant_where_it_is_and_can_be_tried_again(
    acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_id = start(acme)
    run_jobs()
    here = route_of(acme.tenant_id).placement

    def fail(*_given: object, **_more: object) -> None:
        raise StateError("the old server is away")

    monkeypatch.setattr(engine, "turn", fail)
    with platform_scope("test"):
        services.start_return(move_id, actor=SETUP)
    for _attempt in range(6):
        run_jobs(may_fail=True)
        make_jobs_due()
    run_jobs()
    assert (read(move_id).state, route_of(acme.tenant_id).placement) == ("kept", here)
    monkeypatch.undo()
    with platform_scope("test"):
        services.start_return(move_id, actor=SETUP)
    run_jobs()
    assert read(move_id).state == "returned"


def test_an_old_home_that_cannot_be_dropped_is_kept_and_says_why(
    acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_id = start(acme)
    run_jobs()

    def fail(*_given: object) -> None:
        raise StateError("the old server is away")

    monkeypatch.setattr(engine, "purge", fail)
    with platform_scope("test"):
        services.start_purge(move_id, actor=SETUP)
    run_to_the_end()
    assert (read(move_id).state, read(move_id).error) == ("kept", "StateError: the old server is away")
    monkeypatch.undo()
    with platform_scope("test"):
        services.start_purge(move_id, actor=SETUP)
    run_jobs()
    assert read(move_id).state == "finished"


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
