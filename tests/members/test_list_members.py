"""Members are found by the beginning of a name or an address, sorted and paged without losing one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event

from app.core.database.session import db
from app.core.tenancy.scopes import TenantRoute, Tier, tenant_scope
from app.members import queries, services
from app.web.tables import TableState
from tests.factories import SETUP, invite, make_bob, make_carol

# As the superuser: past row-level security and foreign keys, with the members' role of Acme's for everybody.
MANY = """
insert into members (tenant_id, id, email, name, name_search, role_id, state, created_at, link_serial)
select t.id, gen_random_uuid(), 'm' || m || '@a.example', 'Member ' || m, 'member ' || m, r.id, 'invited',
    now() - m * interval '1 minute', 0
from roles r cross join generate_series(1, %(members)s) m
cross join (select %(tenant)s::uuid as id union all select gen_random_uuid() from generate_series(1, %(others)s)) t
where r.tenant_id = %(tenant)s and r.key = 'member'
"""
NAMES = ["Ann Arbor", "Annette Zed", "bert", "Çelik", "Zoë"]


@pytest.fixture
def crowd(acme: TenantRoute) -> TenantRoute:
    """Acme with five members who were invited."""
    for number, name in enumerate(NAMES):
        invite(acme, f"m{number}@acme.example", name=name, role="admin" if number == 0 else "member")
    return acme


def listed(route: TenantRoute, **state: object) -> list[str]:
    with tenant_scope(route, reason="test"):
        return [member.name for member in queries.list_members(TableState(**state)).rows]


def test_they_come_by_name(crowd: TenantRoute) -> None:
    assert listed(crowd) == ["Ann Arbor", "Annette Zed", "bert", "Zoë", "Çelik"]
    assert listed(crowd, sort="name", descending=True) == ["Çelik", "Zoë", "bert", "Annette Zed", "Ann Arbor"]


def test_they_come_by_address_and_by_time(crowd: TenantRoute) -> None:
    assert listed(crowd, sort="email") == listed(crowd, sort="created") == NAMES


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ann", ["Ann Arbor", "Annette Zed"]),
        ("ANN ARB", ["Ann Arbor"]),
        ("arbor", []),
        ("m3@acme.example", ["Çelik"]),
        ("m4", ["Zoë"]),
        ("ço", []),
        ("ZO", ["Zoë"]),
        ("%", []),
        ("' or true --", []),
    ],
)
def test_a_prefix_of_name_or_address_finds_them(crowd: TenantRoute, search: str, found: list[str]) -> None:
    assert listed(crowd, search=search) == found


def test_state_and_role_narrow_the_list(crowd: TenantRoute) -> None:
    assert listed(crowd, filters={"role": "admin"}) == ["Ann Arbor"]
    assert listed(crowd, filters={"state": "active"}) == []
    assert len(listed(crowd, filters={"state": "invited", "role": "member"})) == 4


def test_nobody_of_another_tenant_is_listed_counted_or_found(crowd: TenantRoute, globex: TenantRoute) -> None:
    make_carol(globex)
    assert listed(globex) == ["Carol Danvers"]
    with tenant_scope(globex, reason="test"):
        assert queries.count_members() == {"active": 1}
        assert queries.find_member_by_email("m0@acme.example") is None


def test_they_are_counted_by_state(crowd: TenantRoute) -> None:
    make_bob(crowd)
    with tenant_scope(crowd, reason="test"):
        assert queries.count_members() == {"active": 1, "invited": 5}


@pytest.mark.parametrize("sort", ["name", "email", "created"])
@pytest.mark.parametrize("descending", [False, True])
def test_paging_there_and_back_shows_everybody_once(
    acme: TenantRoute, monkeypatch: pytest.MonkeyPatch, sort: str, descending: bool
) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 2)
    with tenant_scope(acme, reason="test"):
        for number in range(5):
            services.invite_member(name="Same", email=f"m{number}@a.example", role_key="member", actor=SETUP)
        there = walk(TableState(sort=sort, descending=descending), "next_cursor")
        back = walk(TableState(sort=sort, descending=descending, cursor=there[-1][1]), "previous_cursor")
    ids = [member_id for page, _ in there for member_id in page]
    assert len(ids) == len(set(ids)) == 5
    assert [page for page, _ in reversed(back)] == [page for page, _ in there]


def walk(state: TableState, direction: str) -> list[tuple[list[object], str | None]]:
    """Return the ids on each page and the cursor by which that page was reached."""
    pages, cursor = [], state.cursor
    while True:
        page = queries.list_members(TableState(sort=state.sort, descending=state.descending, cursor=cursor))
        pages.append(([member.id for member in page.rows], cursor))
        cursor = getattr(page, direction)
        if cursor is None:
            return pages


@pytest.fixture
def among_many(acme: TenantRoute, superuser_of: Callable[[TenantRoute], psycopg.Connection]) -> TenantRoute:
    """A home of 18,000 members, in a pool 300 of them Acme's, in a home of its own all, and a planner that knows it."""
    others, members = (59, 300) if acme.placement.tier is Tier.POOL else (0, 18_000)
    with superuser_of(acme) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(MANY, {"tenant": acme.tenant_id, "others": others, "members": members})
        connection.execute("vacuum analyze members, roles")
    return acme


@pytest.mark.parametrize("state", [TableState(), TableState(sort="email"), TableState(sort="created")])
@pytest.mark.parametrize("search", ["", "member 7"])
def test_the_list_reaches_its_rows_through_the_tenants_index(
    among_many: TenantRoute, state: TableState, search: str
) -> None:
    with tenant_scope(among_many, reason="test"):
        assert len(queries.list_members(TableState()).rows) == queries.PAGE_ROWS
        [plan] = plans_of(lambda: queries.list_members(replace(state, search=search)))
    assert re.search(r"Index Cond: .*tenant_id =", plan), plan
    assert "Seq Scan on members" not in plan


def plans_of(call: Callable[[], object]) -> list[str]:
    """Return PostgreSQL's plan of each statement that reads members in a call."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    call()
    event.remove(Engine, "before_cursor_execute", note)
    explain = db.session.connection().exec_driver_sql
    return ["\n".join(row[0] for row in explain(f"explain {text}", given)) for text, given in sent if "members" in text]
