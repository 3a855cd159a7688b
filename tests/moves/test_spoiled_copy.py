"""A target that keeps something else than it was given: the verification notices, and the tenant stays where it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.database.owner import owner_connection
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import StateError
from app.core.tenancy.scopes import DatabaseAddress, TenantRoute, Tier, tenant_scope
from app.members.models import Member
from app.moves import changes, engine
from app.settings.models import Setting
from tests.moves.stock import make_stocked, move, route_to, rows_at
from tests.servers import ANNEX
from tests.tenant_rows import route_of

# What a trigger at the target does to a row of settings on its way in.
LOSE, SPOIL = "return null;", "new.value = '0'; return new;"


def say_nothing(_text: str) -> None:
    """Take no note."""


@contextmanager
def spoiling(act: str) -> Iterator[None]:
    """Let the pool of the second server do something to each row of settings."""
    with owner_connection(DatabaseAddress(ANNEX)) as owner:
        owner.execute(f"create function pool.spoil() returns trigger language plpgsql as $$ begin {act} end $$")
        owner.execute("create trigger spoil before insert on pool.settings for each row execute function pool.spoil()")
        try:
            yield
        finally:
            owner.execute("drop function pool.spoil cascade")


def write(tenant: TenantRoute, row: Any) -> None:
    with tenant_scope(tenant, reason="test"), transaction():
        db.session.add(row)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (LOSE, "Table settings has 1 rows at the source and 0 copied"),
        (SPOIL, "Table settings has the same number of rows on both sides, but not the same rows"),
    ],
)
def test_a_row_that_is_lost_or_changed_on_its_way_stops_the_move(app: Flask, annex: str, act: str, words: str) -> None:
    acme = make_stocked("acme", Tier.POOL, "main")
    before, route = rows_at(acme, acme.placement), route_to(acme, Tier.POOL, annex)
    with spoiling(act), pytest.raises(StateError, match=words):
        engine.copy(route, say_nothing)
    engine.give_up(route)
    assert rows_at(acme, acme.placement) == before
    move(route)
    assert rows_at(acme, route.target) == before


@pytest.mark.parametrize("act", [LOSE, SPOIL])
def test_a_row_that_is_lost_or_changed_while_it_is_followed_stops_the_move(app: Flask, annex: str, act: str) -> None:
    acme = make_stocked("acme", Tier.POOL, "main")
    route = route_to(acme, Tier.POOL, annex)
    engine.copy(route, say_nothing)
    late = Setting(key="late", value=1)
    write(acme, late)
    with spoiling(act), pytest.raises(StateError, match=f"Row {late.id} of table settings differs"):
        engine.catch_up(route, say_nothing)
    assert route_of(acme.tenant_id).placement == acme.placement
    assert engine.catch_up(route, say_nothing) == 1


def test_two_members_who_exchange_their_addresses_are_followed_with_their_sessions(app: Flask, annex: str) -> None:
    acme = make_stocked("acme", Tier.POOL, "main")
    route = route_to(acme, Tier.SCHEMA, annex)
    copied = engine.copy(route, say_nothing)
    with tenant_scope(acme, reason="test"), transaction():
        bob, dora = db.session.scalars(select(Member).order_by(Member.email))
        emails = (bob.email, dora.email)
        for member, email in ((bob, "parked@acme.example"), (dora, emails[0]), (bob, emails[1])):
            member.email = email
            db.session.flush()
    assert engine.catch_up(route, say_nothing) > 0
    engine.turn(route, row_count=copied.row_count)
    moved = route_of(acme.tenant_id)
    assert rows_at(moved, moved.placement) == rows_at(acme, acme.placement)
    assert len(rows_at(moved, moved.placement)["member_sessions"]) == 2


def test_a_tenant_that_writes_faster_than_it_is_copied_is_not_followed_for_ever(
    app: Flask, annex: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ROUND_SECONDS", -1)
    route = route_to(make_stocked("acme", Tier.POOL, "main"), Tier.SCHEMA, "main")
    engine.copy(route, say_nothing)
    with pytest.raises(StateError, match="writes faster than its rows can be copied"):
        engine.catch_up(route, say_nothing)


def test_a_table_that_somebody_holds_is_named(app: Flask, annex: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(changes, "LOCK_TRIES", 2)
    acme = make_stocked("acme", Tier.SCHEMA, "main")
    with owner_connection() as holder, holder.transaction():
        holder.execute(f"lock table {acme.placement.schema}.roles in exclusive mode")
        with pytest.raises(StateError, match=r"has held the table roles for 0\.2 seconds"):
            engine.copy(route_to(acme, Tier.POOL, "main"), say_nothing)


def test_a_route_that_was_turned_is_not_turned_again_and_not_given_up(app: Flask, annex: str) -> None:
    route = route_to(make_stocked("acme", Tier.POOL, "main"), Tier.SCHEMA, annex)
    move(route)
    assert engine.turn(route, row_count=0).pause_seconds == 0
    with pytest.raises(StateError, match="turned already"):
        engine.give_up(route)


def test_a_database_that_does_not_know_the_tenant_stops_the_move(app: Flask, annex: str) -> None:
    acme = make_stocked("acme", Tier.SCHEMA, "main")
    with owner_connection() as owner:
        owner.execute("delete from tenancy.homes where tenant_id = %s", (acme.tenant_id,))
    with pytest.raises(StateError, match="knows no home of this tenant"):
        engine.copy(route_to(acme, Tier.POOL, "main"), say_nothing)
