"""The rules of the catalog hold in every home, wherever it lies, and in the template that it is copied from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from app.core.database.versions import TEMPLATE_SCHEMA
from app.core.tenancy.scopes import Login, Tier
from tests.isolation import catalog
from tests.isolation.grounds import Ground, connect_to, every_tier, ground, grounds, home_of
from tests.isolation.planting import Planter

__all__ = ["ground", "grounds"]
MISTAKES = {
    "alter table {home}.members disable row level security": "has row-level security off",
    "alter table {home}.members no force row level security": "does not force",
    "drop policy tenant on {home}.members": "has 0 policies",
    "create policy more on {home}.members using (true)": "has 2 policies",
    "create index bad on {home}.members (email)": "index bad does not start with tenant_id",
    "grant select on {home}.members to tenantry_platform": "grants SELECT to tenantry_platform",
    "grant truncate on {home}.members to tenantry_tenant": "grants TRUNCATE",
    "alter table {home}.settings add constraint bad foreign key (tenant_id, id) references pool.settings not valid": (
        "foreign key bad does not stay inside"
    ),
    "create table {home}.forgotten (id uuid primary key)": "has no column tenant_id",
}
OTHER_MISTAKES = {
    "create view {home}.bad as select 1": "runs as its owner",
    "create materialized view {home}.bad as select 1": "materialised view",
    "create sequence {home}.bad": "sequence",
    "create function {home}.bad() returns int language sql security definer as 'select 1'": "outside schema tenancy",
    "grant usage on schema {home} to tenantry_platform": "tenantry_platform has a right on",
    "grant create on schema {home} to tenantry_tenant": "tenantry_tenant has a right on",
    "grant usage on schema home_template to tenantry_tenant": "tenantry_tenant has a right on home_template",
}


@pytest.fixture
def owner(ground: Ground) -> Iterator[psycopg.Connection[Any]]:
    """The owner's connection to the database of a home, in a transaction that never commits."""
    with connect_to(ground.settings, Login.OWNER, home_of(ground.globex).address) as connection:
        yield connection
        connection.rollback()


def home_faults(owner: psycopg.Connection[Any], schema: str) -> list[str]:
    tables = catalog.read_tables(owner, schema)
    assert tables, schema
    return [f"{table.name} {fault}" for table in tables for fault in catalog.home_faults(table)]


@every_tier
def test_every_home_is_behind_the_walls(ground: Ground, owner: psycopg.Connection[Any]) -> None:
    for route in (ground.acme, ground.globex):
        if home_of(route).address == home_of(ground.globex).address:
            assert home_faults(owner, home_of(route).schema) == []


@pytest.mark.parametrize("ground", [Tier.POOL], indirect=True, ids=str)
def test_what_homes_are_copied_from_is_too(ground: Ground, owner: psycopg.Connection[Any]) -> None:
    assert home_faults(owner, TEMPLATE_SCHEMA) == []


@every_tier
def test_nothing_beside_a_home_leads_around_them(ground: Ground, owner: psycopg.Connection[Any]) -> None:
    shared = catalog.read_tables(owner, "tenancy")
    assert [fault for table in shared for fault in catalog.control_faults(table)] == []
    assert list(catalog.other_faults(owner)) == []


@pytest.mark.parametrize("ground", [Tier.SCHEMA], indirect=True, ids=str)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_home_of_its_own_is_named(ground: Ground, owner: psycopg.Connection[Any], mistake: str) -> None:
    home = home_of(ground.globex).schema
    owner.execute(mistake.format(home=home))
    assert MISTAKES[mistake] in "\n".join(fault for fault in home_faults(owner, home) if fault.startswith(home))


@pytest.mark.parametrize("ground", [Tier.SCHEMA], indirect=True, ids=str)
@pytest.mark.parametrize("mistake", OTHER_MISTAKES)
def test_another_way_around_is_named_there(ground: Ground, owner: psycopg.Connection[Any], mistake: str) -> None:
    owner.execute(mistake.format(home=home_of(ground.globex).schema))
    assert OTHER_MISTAKES[mistake] in "\n".join(catalog.other_faults(owner))


@pytest.mark.parametrize("ground", [Tier.SCHEMA], indirect=True, ids=str)
def test_a_table_of_a_later_day_is_planted_without_help(ground: Ground, owner: psycopg.Connection[Any]) -> None:
    owner.execute("""
        create table tenancy.later (tenant_id uuid, id uuid, size integer check (size between 7 and 9),
            kind text not null check (kind in ('a', 'b')), hash bytea not null check (octet_length(hash) = 20),
            tags text[] not null, constraint pk_later primary key (tenant_id, id));
        create table tenancy.latest (tenant_id uuid, later_id uuid not null, id uuid primary key,
            foreign key (tenant_id, later_id) references tenancy.later);
    """)
    planter = Planter(owner, ground.acme.tenant_id)
    child = planter.row("tenancy.latest")
    parent = planter.row("tenancy.later")
    assert (child["tenant_id"], child["later_id"]) == (ground.acme.tenant_id, parent["id"])
    assert (len(parent["hash"]), parent["kind"] in "ab") == (20, True)
