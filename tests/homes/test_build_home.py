"""A home is the same in each tier and on each server, and gone when it is taken down."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.core.database.owner import owner_connection
from app.core.database.session import db, engines
from app.core.database.transactions import transaction
from app.core.errors import StateError, UnavailableError
from app.core.tenancy.errors import HomeUnavailableError
from app.core.tenancy.scopes import Tier, tenant_scope
from app.homes.building import build_home, drop_home, read_template
from app.homes.services import create_home
from app.homes.structure import compare, read_structure
from app.members.models import Member
from app.members.services import create_default_roles
from app.settings.models import Setting
from tests.factories import SETUP, make_bob
from tests.homes.fleets import migrate, state_of
from tests.homes.placing import PLACES, make_home
from tests.homes.releases import Release
from tests.tenant_rows import insert_tenant


@pytest.mark.parametrize(("tier", "server"), PLACES)
def test_a_home_in_any_place_has_the_templates_structure(app: object, annex: str, tier: Tier, server: str) -> None:
    home = make_home("acme", tier, server).placement
    with owner_connection(home.address) as connection:
        found = read_structure(connection, home.schema)
    assert (compare(read_template(), found), found.version) == ([], read_template().version)


@pytest.mark.parametrize(("tier", "server"), PLACES)
def test_the_product_works_in_it_and_no_other_tenant_sees_it(app: object, annex: str, tier: Tier, server: str) -> None:
    acme, globex = make_home("acme", tier, server), make_home("globex", tier, server)
    with tenant_scope(acme, reason="test"):
        create_default_roles(actor=SETUP)
    bob = make_bob(acme)
    with tenant_scope(acme, reason="test"):
        assert [member.id for member in db.session.scalars(select(Member))] == [bob]
    with tenant_scope(globex, reason="test"):
        assert db.session.scalars(select(Member)).all() == []


@pytest.mark.parametrize(("tier", "server"), PLACES)
def test_building_again_changes_nothing(app: object, annex: str, tier: Tier, server: str) -> None:
    acme = make_home("acme", tier, server)
    with tenant_scope(acme, reason="test"), transaction():
        db.session.add(Setting(key="colour", value="red"))
    build_home(acme.tenant_id, acme.placement)
    with tenant_scope(acme, reason="test"):
        assert db.session.scalars(select(Setting.value)).all() == ["red"]


@pytest.mark.parametrize(("tier", "server"), PLACES)
def test_a_home_taken_down_is_gone_and_its_neighbour_is_not(app: object, annex: str, tier: Tier, server: str) -> None:
    acme, globex = make_home("acme", tier, server), make_home("globex", tier, server)
    for route in (acme, globex):
        with tenant_scope(route, reason="test"), transaction():
            db.session.add(Setting(key="colour", value="red"))
    engines().dispose()
    for _again in range(2):
        drop_home(acme.tenant_id, acme.placement)
    with pytest.raises((HomeUnavailableError, UnavailableError)), tenant_scope(acme, reason="test"):
        db.session.scalars(select(Setting)).all()
    with tenant_scope(globex, reason="test"):
        assert db.session.scalars(select(Setting.value)).all() == ["red"]


def test_a_tenant_without_a_place_gets_no_home(app: object) -> None:
    with pytest.raises(StateError, match="has no place for a home"):
        create_home(insert_tenant("acme"))


def test_a_home_built_after_a_migration_is_of_the_new_version(release: Release) -> None:
    before = make_home("acme", Tier.SCHEMA, "main")
    newest = release.add()
    migrate()
    after = make_home("globex", Tier.SCHEMA, "main")
    assert state_of(after) == (True, newest, newest)
    assert before.home_version < newest
