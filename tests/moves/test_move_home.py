"""A home goes from any place to any other and back; every row arrives, and nobody else's is touched."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.core.database.owner import owner_connection
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.errors import HomeUnavailableError
from app.core.tenancy.scopes import TenantRoute, Tier, tenant_scope
from app.homes.building import read_template
from app.homes.structure import Difference, compare, read_structure
from app.moves import engine
from app.settings.models import Setting
from tests.moves.stock import TABLES, back, go_back, make_stocked, move, route_to, rows_at
from tests.tenant_rows import route_of

POOL, SCHEMA, DATABASE = Tier.POOL, Tier.SCHEMA, Tier.DATABASE
WAYS = [
    ((POOL, "main"), (SCHEMA, "main")),
    ((POOL, "main"), (DATABASE, "main")),
    ((POOL, "main"), (POOL, "annex")),
    ((POOL, "main"), (SCHEMA, "annex")),
    ((POOL, "main"), (DATABASE, "annex")),
    ((SCHEMA, "main"), (POOL, "main")),
    ((SCHEMA, "main"), (DATABASE, "main")),
    ((SCHEMA, "annex"), (SCHEMA, "main")),
    ((SCHEMA, "annex"), (DATABASE, "annex")),
    ((DATABASE, "annex"), (POOL, "main")),
    ((DATABASE, "main"), (SCHEMA, "main")),
    ((DATABASE, "annex"), (DATABASE, "main")),
]


def write(tenant: TenantRoute, key: str, *, without: str = "") -> None:
    """Add one setting as the product does, and delete another."""
    with tenant_scope(tenant, reason="test"), transaction():
        db.session.add(Setting(key=key, value=1))
        for gone in db.session.scalars(select(Setting).where(Setting.key == without)):
            db.session.delete(gone)


def structure_at(tenant: TenantRoute) -> list[Difference]:
    """Return how a tenant's home differs from an empty one of the newest version."""
    with owner_connection(tenant.placement.address) as connection:
        return compare(read_template(), read_structure(connection, tenant.placement.schema))


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_every_row_arrives_and_the_source_can_be_purged(app, annex, source, target):
    acme, globex = make_stocked("acme", *source), make_stocked("globex", *source)
    before, others = rows_at(acme, acme.placement), rows_at(globex, globex.placement)
    assert all(before[table] for table in TABLES if table != "member_throttles")
    route = route_to(acme, *target)
    move(route)
    moved = route_of(acme.tenant_id)
    assert moved.placement == route.target
    assert rows_at(moved, moved.placement) == before
    assert structure_at(moved) == []
    with pytest.raises(HomeUnavailableError), tenant_scope(acme, reason="with the old route"):
        db.session.scalars(select(Setting)).all()
    for _again in range(2):
        engine.purge(route)
    write(moved, "more")
    assert len(rows_at(moved, moved.placement)["settings"]) == len(before["settings"]) + 1
    assert rows_at(globex, globex.placement) == others


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_the_way_back_takes_along_what_was_written_since(app, annex, source, target):
    acme = make_stocked("acme", *source)
    route = route_to(acme, *target)
    move(route)
    moved = route_of(acme.tenant_id)
    write(moved, "since", without="colour")
    written = rows_at(moved, moved.placement)
    go_back(back(route))
    returned = route_of(acme.tenant_id)
    assert returned.placement == back(route).target
    assert rows_at(returned, returned.placement) == written
    with tenant_scope(returned, reason="test"):
        assert "since" in db.session.scalars(select(Setting.key)).all()


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_a_move_that_is_given_up_leaves_everything_as_it_was(app, annex, source, target):
    acme = make_stocked("acme", *source)
    before = rows_at(acme, acme.placement)
    route = route_to(acme, *target)
    engine.copy(route, lambda _text: None)
    engine.catch_up(route, lambda _text: None)
    for _again in range(2):
        engine.give_up(route)
    assert rows_at(acme, acme.placement) == before
    write(acme, "more")
    move(route)
    assert len(rows_at(acme, route.target)["settings"]) == len(before["settings"]) + 1
