"""A home's structure: what is read is what builds it, what differs is named, and the fix mends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from app.core.database.owner import owner_connection
from app.core.errors import StateError
from app.core.tenancy.scopes import Tier
from app.homes.building import read_template
from app.homes.structure import HomeStructure, compare, read_structure
from app.web.hosts import Portal
from tests.homes.placing import make_home

CHANGES = {
    "alter table members add column shoe_size integer default 38": "column members.shoe_size",
    "alter table members drop column last_signed_in_at": "column members.last_signed_in_at",
    "drop index ix_members_tenant_id_role_id": "index members.ix_members_tenant_id_role_id",
    "create index more on members (tenant_id, state)": "index members.more",
    "alter table members drop constraint uq_members_tenant_id_email": "constraint members.uq_members_tenant_id_email",
    "alter table members drop constraint fk_members_tenant_id_role_id": (
        "foreign key members.fk_members_tenant_id_role_id"
    ),
    "alter table members disable row level security": "row-level security members",
    "alter table members no force row level security": "row-level security members",
    "drop policy tenant on members": "policy members.tenant",
    "create policy more on members using (true)": "policy members.more",
    "grant truncate on members to tenantry_tenant": "grant members.tenantry_tenant",
    "grant select (email) on members to tenantry_platform": "grant members.tenantry_platform",
    "revoke delete on members from tenantry_tenant": "grant members.tenantry_tenant",
}
MORE_THAN_ONE = {
    "create table extra (tenant_id uuid)": {
        "table extra", "column extra.tenant_id", "row-level security extra", "owner extra",
    },
    "alter table settings rename column key to label": {
        "column settings.label", "column settings.key", "constraint settings.uq_settings_tenant_id_key",
    },
}  # fmt: skip


@pytest.fixture
def schema(app: Portal) -> str:
    """A home in a schema of its own."""
    return make_home("acme", Tier.SCHEMA, "main").placement.schema


@pytest.fixture
def template(app: Portal) -> HomeStructure:
    return read_template()


@pytest.fixture
def owner(schema: str) -> Iterator[psycopg.Connection[Any]]:
    with owner_connection() as connection:
        yield connection


def run(owner: psycopg.Connection[Any], schema: str, script: str) -> None:
    with owner.transaction():
        owner.execute(f"set local search_path to {schema}; {script}".encode())


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_by_hand_is_named_and_its_fix_mends_it(
    owner: psycopg.Connection[Any], schema: str, template: HomeStructure, change: str
) -> None:
    run(owner, schema, change)
    [difference] = compare(template, read_structure(owner, schema))
    assert difference.label == CHANGES[change]
    run(owner, schema, difference.fix)
    assert compare(template, read_structure(owner, schema)) == []


@pytest.mark.parametrize("change", MORE_THAN_ONE)
def test_a_change_of_several_parts_names_each(
    owner: psycopg.Connection[Any], schema: str, template: HomeStructure, change: str
) -> None:
    run(owner, schema, change)
    assert {one.label for one in compare(template, read_structure(owner, schema))} == MORE_THAN_ONE[change]


def test_a_column_of_another_type_says_what_it_must_be(
    owner: psycopg.Connection[Any], schema: str, template: HomeStructure
) -> None:
    run(owner, schema, "alter table members alter column link_serial type integer")
    [difference] = compare(template, read_structure(owner, schema))
    assert (difference.label, difference.found) == ("column members.link_serial", "integer default 0 not null")
    assert "alter column link_serial type bigint" in difference.fix


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        ("create view everybody as select * from members", "view everybody"),
        ("create sequence numbers", "sequence numbers"),
        ("create materialized view kept as select 1 as one", "materialised view kept"),
        ("create type mood as enum ('good', 'bad')", "type mood"),
        ("create function peek() returns int language sql as 'select 1'", "function peek"),
        ("create table parts (tenant_id uuid) partition by hash (tenant_id)", "partitioned table parts"),
    ],
)
def test_what_no_copy_would_take_along_is_refused_by_name(
    owner: psycopg.Connection[Any], schema: str, thing: str, name: str
) -> None:
    run(owner, schema, thing)
    with pytest.raises(StateError, match=name):
        read_structure(owner, schema)


def test_tables_come_after_those_that_they_refer_to(template: HomeStructure) -> None:
    order = template.tables
    assert all(order.index(one.target) < order.index(one.table) for one in template.references)
    assert {one.table for one in template.references} == {"members", "member_sessions"}


def test_references_in_a_circle_are_named(owner: psycopg.Connection[Any], schema: str) -> None:
    run(
        owner,
        schema,
        "alter table roles no force row level security, add column made_by uuid; "
        "alter table members no force row level security; alter table roles add constraint fk_roles_made_by "
        "foreign key (tenant_id, made_by) references members (tenant_id, id)",
    )
    with pytest.raises(StateError, match="circle: member_sessions, members, roles"):
        _ = read_structure(owner, schema).tables


def test_a_generated_column_and_a_trigger_are_read_as_they_were_written(
    owner: psycopg.Connection[Any], schema: str
) -> None:
    run(
        owner,
        schema,
        "alter table members add column short text generated always as (left(name, 3)) stored; "
        "create trigger quiet before update on members for each row execute function "
        "suppress_redundant_updates_trigger()",
    )
    found = read_structure(owner, schema)
    assert "short" not in found.columns("members")
    script = f"create schema copy; set local search_path to copy; {found.render_tables()} {found.render_guards()}"
    with owner.transaction():
        owner.execute(f"{script} insert into alembic_version values ('{found.version}')".encode())
    again = read_structure(owner, "copy")
    owner.execute("drop schema copy cascade")
    assert compare(found, again) == []
