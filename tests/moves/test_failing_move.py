"""A move that cannot go on: the tenant stays where it is, what was begun goes, and it can be tried again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.core.config import Settings
from app.core.database.owner import owner_connection
from app.core.database.server_urls import ServerUrls
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import StateError, UnavailableError
from app.core.tenancy.scopes import (
    MAIN_DATABASE,
    DatabaseAddress,
    Login,
    TenantRoute,
    Tier,
    platform_scope,
    tenant_scope,
)
from app.moves import engine, services, switching
from app.settings.models import Setting
from app.web.hosts import Portal
from tests.factories import SETUP
from tests.moves.acts import activity, fail_for_good, move_events, read, start
from tests.moves.stock import home_state, make_stocked, route_to, rows_at
from tests.servers.acts import add_annex, run_to_the_end
from tests.tenant_rows import route_of
from tests.work import make_jobs_due, run_jobs

AWAY = "postgresql://tenantry_owner:x@127.0.0.1:1/annex"


@pytest.fixture
def acme(app: Portal, annex: str) -> TenantRoute:
    add_annex()
    return make_stocked("acme", Tier.POOL, "main")


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


@pytest.mark.parametrize("tier", [Tier.SCHEMA, Tier.DATABASE, Tier.POOL])
def test_a_target_that_is_away_leaves_the_tenant_where_it_is(
    acme: TenantRoute, instance: Settings, tier: Tier, annex: str
) -> None:
    before, urls = rows_at(acme, acme.placement), ServerUrls(instance)
    kept = urls.get(Login.OWNER, DatabaseAddress(annex))
    urls.write(annex, Login.OWNER, AWAY)
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
        urls.write(annex, Login.OWNER, AWAY)
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


def test_a_second_database_that_goes_away_between_the_two_fences_leaves_none_standing(
    app: Portal, instance: Settings, annex: str, annex_urls: dict[Login, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_annex()
    acme, urls = make_stocked("acme", Tier.SCHEMA, annex), ServerUrls(instance)
    route = route_to(acme, Tier.POOL, "main")
    engine.copy(route, lambda _text: None)
    fenced: list[object] = []

    @contextmanager
    def lose_annex(address: DatabaseAddress = MAIN_DATABASE) -> Iterator[Any]:
        with owner_connection(address) as connection:
            yield connection
        if address == MAIN_DATABASE:
            fenced.append(home_state(acme, replace(acme.placement, server="main")))
            urls.write(annex, Login.OWNER, AWAY)

    monkeypatch.setattr(switching, "owner_connection", lose_annex)
    with pytest.raises(UnavailableError, match="annex does not answer"):
        engine.turn(route, row_count=0)
    monkeypatch.undo()
    urls.write(annex, Login.OWNER, annex_urls[Login.OWNER])
    assert fenced[0] == (1, "fenced")
    assert home_state(acme, replace(acme.placement, server="main")) == (1, "active")
    with tenant_scope(acme, reason="test"), transaction():
        db.session.add(Setting(key="at once", value=1))


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
