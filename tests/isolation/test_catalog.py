"""The catalog holds the walls: every table, function and grant that exists, whoever added it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from app.core.config import Settings
from tests.isolation import catalog
from tests.isolation.catalog import Table
from tests.isolation.toy import connect

SAME = "tenant_id = (select tenancy.current_tenant())"
GOOD = f"""
create table pool.good (tenant_id uuid not null, id uuid not null, label text, note text,
    constraint pk_good primary key (tenant_id, id), constraint uq_good unique (tenant_id, label));
alter table pool.good enable row level security, force row level security;
create policy tenant on pool.good using ({SAME}) with check ({SAME});
grant select, insert, update, delete on pool.good to tenantry_tenant;
"""
REPLACE = "drop policy tenant on pool.good; create policy tenant on pool.good"
HOME_MISTAKES = {
    "alter table pool.good disable row level security": "has row-level security off",
    "alter table pool.good no force row level security": "does not force row-level security on its owner",
    "drop policy tenant on pool.good": "has 0 policies",
    "create policy more on pool.good using (true)": "has 2 policies",
    f"{REPLACE} to tenantry_tenant using ({SAME}) with check ({SAME})": "names roles",
    f"{REPLACE} using ({SAME})": "no plain equality",
    f"{REPLACE} using (true) with check ({SAME})": "no plain equality",
    f"{REPLACE} using ({SAME} or note = 'shared') with check ({SAME})": "no plain equality",
    f"{REPLACE} using (tenant_id::text = (select tenancy.current_tenant())::text) with check ({SAME})": "no plain",
    f"{REPLACE} using (tenant_id = tenancy.current_tenant()) with check ({SAME})": "no plain equality",
    f"{REPLACE} using (tenant_id = current_setting('tenantry.tenant')::uuid) with check ({SAME})": "no plain equality",
    f"{REPLACE} as restrictive using ({SAME}) with check ({SAME})": "is restrictive",
    "alter table pool.good drop constraint pk_good, add primary key (id, tenant_id)": "does not start with tenant_id",
    "alter table pool.good add unique (label)": "does not start with tenant_id",
    "create index bad on pool.good (label, tenant_id)": "index bad does not start with tenant_id",
    "create index bad on pool.good (lower(label))": "index bad does not start with tenant_id",
    "alter table pool.good drop tenant_id cascade": "has no column tenant_id",
    "alter table pool.good drop constraint pk_good; alter table pool.good alter tenant_id drop not null": "no column",
    "alter table pool.good add constraint bad foreign key (id) references control.tenants not valid": "bad does not",
    "alter table pool.good add constraint bad foreign key (tenant_id, id) references pool.good not valid": "never",
    "grant select on pool.good to tenantry_platform": "grants SELECT to tenantry_platform",
    "grant select (label) on pool.good to tenantry_platform": "grants SELECT to tenantry_platform",
    "grant select on pool.good to public": "grants SELECT to PUBLIC",
    "grant truncate on pool.good to tenantry_tenant": "grants TRUNCATE to tenantry_tenant",
    "grant references on pool.good to tenantry_tenant": "grants REFERENCES to tenantry_tenant",
    "grant trigger on pool.good to tenantry_tenant": "grants TRIGGER to tenantry_tenant",
}
CONTROL_MISTAKES = {
    "alter table control.tenants disable row level security": "has row-level security off",
    "alter table control.tenants no force row level security": "does not force",
    "create policy more on control.tenants to tenantry_tenant using (true)": "two policies for one role",
    "create policy more on control.placements to tenantry_tenant using (true) with check (true)": "no plain equality",
    "create policy more on control.placements using (true)": "has a policy for",
    "grant select on control.placements to tenantry_tenant": "which has no policy",
    "grant select on control.tenants to public": "which has no policy",
    "grant update (status) on control.tenants to tenantry_tenant": "lets a tenant change status",
    "grant update on control.tenants to tenantry_tenant": "lets a tenant change every column",
    "drop policy tenant on control.plans; create policy tenant on control.plans to tenantry_tenant using (true) "
    "with check (true)": "tenants could write",
    "grant truncate on control.tenants to tenantry_platform": "grants TRUNCATE",
    "create table control.forgotten (id uuid primary key)": "has row-level security off",
}
OTHER_MISTAKES = {
    "create view pool.bad as select 1": "runs as its owner",
    "create materialized view pool.bad as select 1": "materialised view",
    "create sequence pool.bad": "sequence",
    "create function control.bad() returns int language sql security definer as 'select 1'": "outside schema tenancy",
    "create function tenancy.bad() returns int language sql security definer as 'select 1'": "fixed search_path",
    "create function tenancy.bad() returns int language sql security definer set search_path = pg_catalog, pg_temp "
    "as 'select 1'": "everybody may call",
    "create function tenancy.bad() returns int language sql security definer set search_path = public as 'select 1'; "
    "revoke all on function tenancy.bad() from public": "fixed search_path",
    "grant usage on schema pool to tenantry_platform": "tenantry_platform has a right on pool",
    "grant create on schema tenancy to tenantry_tenant": "tenantry_tenant has a right on tenancy",
}


@pytest.fixture
def owner(instance: Settings, toy_tables: None) -> Iterator[psycopg.Connection[Any]]:
    """The owner's connection, in a transaction that never commits."""
    with connect(instance) as connection:
        yield connection
        connection.rollback()


def faults_of(owner: psycopg.Connection[Any], schema: str, check: Callable[[Table], Iterator[str]]) -> list[str]:
    """Return what is wrong with the tables of a schema, each with the table's name."""
    return [f"{table.name} {fault}" for table in catalog.read_tables(owner, schema) for fault in check(table)]


def test_every_table_of_a_home_is_behind_the_walls(owner: psycopg.Connection[Any]) -> None:
    assert faults_of(owner, "pool", catalog.home_faults) == []


@pytest.mark.parametrize("schema", ["control", "tenancy"])
def test_every_table_of_the_control_plane_is_behind_the_walls(owner: psycopg.Connection[Any], schema: str) -> None:
    assert faults_of(owner, schema, catalog.control_faults) == []


def test_views_functions_and_schemas_leave_no_way_around(owner: psycopg.Connection[Any]) -> None:
    assert list(catalog.other_faults(owner)) == []


@pytest.mark.parametrize("schema", ["control", "pool"])
def test_audit_events_can_only_be_added(owner: psycopg.Connection[Any], schema: str) -> None:
    tables = {table.name: table for table in catalog.read_tables(owner, schema)}
    assert list(catalog.audit_faults(tables[f"{schema}.audit_events"])) == []


def test_the_checkers_look_at_something(owner: psycopg.Connection[Any]) -> None:
    names = {table.name for schema in ("pool", "control", "tenancy") for table in catalog.read_tables(owner, schema)}
    assert names >= {"pool.toys", "pool.audit_events", "control.tenants", "tenancy.outbox", "tenancy.context_keys"}


def test_a_well_made_table_passes(owner: psycopg.Connection[Any]) -> None:
    owner.execute(GOOD)
    assert faults_of(owner, "pool", catalog.home_faults) == []


@pytest.mark.parametrize("mistake", HOME_MISTAKES)
def test_a_badly_made_home_table_is_named(owner: psycopg.Connection[Any], mistake: str) -> None:
    owner.execute(GOOD + mistake)
    found = "\n".join(faults_of(owner, "pool", catalog.home_faults))
    assert "pool.good" in found
    assert HOME_MISTAKES[mistake] in found


@pytest.mark.parametrize("mistake", CONTROL_MISTAKES)
def test_a_badly_made_control_table_is_named(owner: psycopg.Connection[Any], mistake: str) -> None:
    owner.execute(mistake)
    assert CONTROL_MISTAKES[mistake] in "\n".join(faults_of(owner, "control", catalog.control_faults))


@pytest.mark.parametrize("table", sorted(catalog.OWNERS_TABLES))
def test_a_grant_on_the_owners_own_tables_is_named(owner: psycopg.Connection[Any], table: str) -> None:
    owner.execute(f"grant select on {table} to tenantry_tenant")
    assert faults_of(owner, "tenancy", catalog.control_faults) == [f"{table} grants SELECT to tenantry_tenant"]


@pytest.mark.parametrize("mistake", OTHER_MISTAKES)
def test_another_way_around_is_named(owner: psycopg.Connection[Any], mistake: str) -> None:
    owner.execute(mistake)
    assert OTHER_MISTAKES[mistake] in "\n".join(catalog.other_faults(owner))


def test_audit_events_that_could_be_changed_are_named(owner: psycopg.Connection[Any]) -> None:
    owner.execute("grant update (reason) on control.audit_events to tenantry_tenant")
    tables = {table.name: table for table in catalog.read_tables(owner, "control")}
    assert "UPDATE" in "".join(catalog.audit_faults(tables["control.audit_events"]))
