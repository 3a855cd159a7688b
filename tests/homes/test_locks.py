"""No transaction locks tables of two homes, so that no number of homes is too many for PostgreSQL's table of locks."""

from __future__ import annotations

import time

import psycopg
import pytest

from app.core.config import Settings
from app.core.database.versions import TEMPLATE_SCHEMA
from app.core.tenancy.scopes import TenantRoute, Tier
from app.homes.building import drop_home
from app.homes.models import RunState
from app.moves import engine
from app.web.hosts import Portal
from tests.factories import use_cheap_passwords
from tests.homes.fleets import make_homes, migrate
from tests.homes.locks import watching_locks
from tests.homes.releases import Release
from tests.moves.stock import make_stocked, move, route_to
from tests.plans import database_of
from tests.tenant_rows import route_of


@pytest.fixture
def url(app: Portal, instance: Settings, superuser_url: str) -> str:
    """The superuser's address of the main database."""
    return database_of(superuser_url, instance.database_url.get_secret_value())


def schemas_of(routes: list[TenantRoute]) -> set[frozenset[str]]:
    return {frozenset({route.placement.schema}) for route in routes}


def test_homes_are_built_migrated_and_dropped_one_a_transaction(release: Release, url: str) -> None:
    release.add()
    with watching_locks(url) as locked:
        homes = make_homes(3)
        assert migrate().state == RunState.DONE
        for home in homes:
            drop_home(home.tenant_id, home.placement)
    assert locked >= {frozenset({"pool"}), frozenset({TEMPLATE_SCHEMA}), *schemas_of(homes)}
    assert [homes for homes in locked if len(homes) > 1] == []


def test_a_move_locks_source_and_target_in_transactions_of_their_own(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cheap_passwords(monkeypatch)
    acme = make_stocked("acme", Tier.POOL, "main")
    there = route_to(acme, Tier.SCHEMA, "main")
    with watching_locks(url) as locked:
        move(there)
        engine.purge(there)
        back = route_to(route_of(acme.tenant_id), Tier.POOL, "main")
        move(back)
        engine.purge(back)
    assert locked >= {frozenset({"pool"}), frozenset({there.target.schema})}
    assert [homes for homes in locked if len(homes) > 1] == []


@pytest.mark.parametrize("verb", ["alter table {} add column note text", "select from {}"])
def test_a_transaction_that_locks_two_homes_is_noticed(url: str, verb: str) -> None:
    homes = make_homes(2)
    with watching_locks(url) as locked, psycopg.connect(url) as connection:
        for home in homes:
            connection.execute(verb.format(f"{home.placement.schema}.settings"))
        time.sleep(0.2)
    assert frozenset(home.placement.schema for home in homes) in locked
