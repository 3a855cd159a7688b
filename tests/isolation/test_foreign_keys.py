"""Foreign keys and relationships inside a home: validated over every tenant's rows, and never reaching across."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg.errors import ForeignKeyViolation
from sqlalchemy import select
from sqlalchemy.orm import configure_mappers

from app.core.config import Settings
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.ddl import add_tenant_foreign_key, protect_home_table
from app.core.tenancy.scopes import Login, TenantRoute, tenant_scope
from tests.isolation.toy import Ddl, Toy, ToyBox, attack, connect

TABLES = """
create table pool.parents (tenant_id uuid not null, id uuid not null default gen_random_uuid(),
    primary key (tenant_id, id));
create table pool.children (tenant_id uuid not null, parent_id uuid, note text);
"""
PLAIN = (
    "alter table pool.children add constraint plain foreign key (tenant_id, parent_id) references pool.parents "
    "(tenant_id, id)"
)
SHARED_ID = "'01890a5d-ac96-774b-bcce-b302099a8057'"
ORPHAN = "insert into pool.children values (%s, gen_random_uuid(), 'orphan')"


@pytest.fixture
def family(homes: SimpleNamespace, instance: Settings) -> Iterator[SimpleNamespace]:
    """Two protected tables of the pool without a key between them."""
    with connect(instance) as connection:
        connection.execute(TABLES)
        for table in ("pool.parents", "pool.children"):
            protect_home_table(Ddl(connection), table)
    yield homes
    with connect(instance) as connection:
        connection.execute("drop table pool.children, pool.parents")


def add_key(instance: Settings, **options: Any) -> None:
    """Add the key between the two tables, as a migration does."""
    with connect(instance) as connection:
        add_tenant_foreign_key(Ddl(connection), "pool.children", "parent_id", "pool.parents", name="kin", **options)


def forced(instance: Settings) -> list[bool]:
    """Return, for both tables, whether the owner is under their policy."""
    with connect(instance) as connection:
        names = ["pool.parents", "pool.children"]
        statement = "select relrowsecurity and relforcerowsecurity from pg_class where oid = any(%s::regclass[])"
        return [row[0] for row in connection.execute(statement, (names,)).fetchall()]


def plant(instance: Settings, route: TenantRoute, statement: str) -> None:
    """Write a row of one tenant."""
    with attack(instance, route) as connection:
        connection.execute(statement, (route.tenant_id,))


def test_an_orphan_planted_before_is_refused(family: SimpleNamespace, instance: Settings) -> None:
    plant(instance, family.acme, ORPHAN)
    with pytest.raises(ForeignKeyViolation):
        add_key(instance)
    assert forced(instance) == [True, True]


def test_a_plain_key_would_be_called_valid_over_the_orphan(family: SimpleNamespace, instance: Settings) -> None:
    plant(instance, family.acme, ORPHAN)
    with attack(instance, family.globex, Login.OWNER) as connection:
        connection.execute(PLAIN)
        valid = "select convalidated from pg_constraint where conname = 'plain'"
        assert connection.execute(valid).fetchone() == (True,)
        connection.rollback()


@pytest.mark.parametrize("on_delete", ["restrict", "cascade", "set null"])
def test_the_owner_is_under_the_policy_again_afterwards(
    family: SimpleNamespace, instance: Settings, on_delete: str
) -> None:
    add_key(instance, on_delete=on_delete)
    assert forced(instance) == [True, True]


def test_whoever_waits_for_the_table_waits_a_few_seconds_only(family: SimpleNamespace, instance: Settings) -> None:
    with connect(instance) as connection:
        add_tenant_foreign_key(Ddl(connection), "pool.children", "parent_id", "pool.parents", name="kin")
        assert connection.execute("show lock_timeout").fetchone() == ("5s",)


def test_a_row_cannot_refer_to_another_tenants(family: SimpleNamespace, instance: Settings) -> None:
    add_key(instance)
    plant(instance, family.globex, f"insert into pool.parents values (%s, {SHARED_ID})")
    with pytest.raises(ForeignKeyViolation):
        plant(instance, family.acme, f"insert into pool.children values (%s, {SHARED_ID})")


def test_on_delete_set_null_clears_only_its_column(family: SimpleNamespace, instance: Settings) -> None:
    add_key(instance, on_delete="set null")
    with attack(instance, family.acme) as connection:
        tenant = (family.acme.tenant_id,)
        connection.execute("insert into pool.parents values (%s)", tenant)
        connection.execute("insert into pool.children select tenant_id, id, 'kept' from pool.parents")
        connection.execute("delete from pool.parents")
        assert connection.execute("select * from pool.children").fetchall() == [(*tenant, None, "kept")]


@pytest.mark.parametrize(("on_delete", "left"), [("cascade", 1), ("set null", 2)])
def test_a_delete_acts_inside_its_tenant(
    family: SimpleNamespace, instance: Settings, on_delete: str, left: int
) -> None:
    add_key(instance, on_delete=on_delete)
    for route in (family.acme, family.globex):
        plant(instance, route, f"insert into pool.parents values (%s, {SHARED_ID})")
        plant(instance, route, f"insert into pool.children values (%s, {SHARED_ID}, 'child')")
    plant(instance, family.acme, "delete from pool.parents where tenant_id = %s")
    with attack(instance, family.globex) as connection:
        assert connection.execute("select parent_id::text from pool.children").fetchone() == (SHARED_ID.strip("'"),)
    assert sum(count_children(instance, route) for route in (family.acme, family.globex)) == left


def test_without_a_parent_a_restricted_key_refuses_the_delete(family: SimpleNamespace, instance: Settings) -> None:
    add_key(instance)
    plant(instance, family.acme, f"insert into pool.parents values (%s, {SHARED_ID})")
    plant(instance, family.acme, f"insert into pool.children values (%s, {SHARED_ID})")
    with pytest.raises((ForeignKeyViolation, psycopg.errors.RestrictViolation)):
        plant(instance, family.acme, "delete from pool.parents where tenant_id = %s")


def test_relationships_that_share_the_tenant_give_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        configure_mappers()


def test_setting_a_relationship_to_none_keeps_the_tenant(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="clear"), transaction():
        toy = db.session.scalars(select(Toy)).one()
        toy.box = None
    with tenant_scope(acme, reason="read"):
        toy = db.session.scalars(select(Toy)).one()
        assert (toy.tenant_id, toy.box_id, toy.box) == (acme.tenant_id, None, None)


def test_both_relationships_are_written_and_read_apart(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="set"), transaction():
        toy = db.session.scalars(select(Toy)).one()
        toy.spare_box = ToyBox(label="attic")
    with tenant_scope(acme, reason="read"):
        toy = db.session.scalars(select(Toy)).one()
        assert (toy.box.label, toy.spare_box.label) == ("shelf", "attic")


def test_deleting_a_box_leaves_its_toy_outside(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="delete"), transaction():
        db.session.delete(db.session.scalars(select(ToyBox)).one())
    with tenant_scope(acme, reason="read"):
        assert db.session.scalars(select(Toy)).one().box_id is None


def count_children(instance: Settings, route: TenantRoute) -> int:
    """Return how many children a tenant has."""
    with attack(instance, route) as connection:
        return connection.execute("select count(*) from pool.children").fetchone()[0]
