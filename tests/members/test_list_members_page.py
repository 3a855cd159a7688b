"""The list of members in the browser: search, filters, order, pages, and the same list as a file."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from app.core.tenancy.scopes import TenantRoute
from app.members import queries
from app.web.hosts import Portal
from app.web.tables import Cursor, encode_cursor
from tests.factories import host_of, invite, make_bob, make_carol, make_member, sign_in, sign_in_as_bob
from tests.guarded import NOBODY
from tests.page import PageClient

EMAILS = "td[data-label=E-mail]"
FORGED = ((), ("A", "B"), ("A", 7), (None, None), (None, NOBODY), (datetime.min.replace(tzinfo=UTC), NOBODY))
BOB, DORA, EVE = "bob@acme.example", "dora@acme.example", "eve@acme.example"


@pytest.fixture
def bob(app: Portal, acme: TenantRoute) -> PageClient:
    """Bob's browser; Dora is a member, Eve an invited admin."""
    make_bob(acme)
    make_member(acme, DORA)
    invite(acme, EVE, role="admin", name="Eve Evans")
    return sign_in_as_bob(app, acme)


def download(browser: PageClient, query: str = "") -> list[list[str]]:
    return list(csv.reader(io.StringIO(browser.get(f"/members.csv{query}").text)))


def test_everybody_is_listed_with_role_and_state(bob: PageClient) -> None:
    page = bob.get("/members")
    assert page.texts(EMAILS) == [BOB, DORA, EVE]
    assert page.texts("td[data-label=Role]") == ["Owner", "Member", "Admin"]
    assert page.texts("td[data-label=State]") == ["Active", "Active", "Invited"]
    assert "2 active, 1 invited." in page.text


def test_search_and_filters_work_without_javascript(bob: PageClient) -> None:
    bob.get("/members")
    assert bob.submit("#filter", q="EVE@").texts(EMAILS) == [EVE]
    assert bob.submit("#filter", q="", role="owner").texts(EMAILS) == [BOB]
    assert bob.submit("#filter", role="", state="invited").texts(EMAILS) == [EVE]


def test_htmx_gets_the_table_alone(bob: PageClient) -> None:
    page = bob.get("/members?q=dora", fragment=True)
    assert page.texts(EMAILS) == [DORA]
    assert page.select("#members")
    assert not page.select("#filter")


def test_who_is_not_found_leaves_a_way_back(bob: PageClient) -> None:
    page = bob.get("/members?q=nobody")
    assert "No member matches" in page.text
    assert page.select(".empty-state a")[0].get("href") == "/members"


def test_a_header_sorts_and_turns(bob: PageClient) -> None:
    bob.get("/members")
    assert bob.get(bob.select("#member-table-sort-name")[0].get("href")).texts(EMAILS)[0] == EVE
    assert bob.get("/members?sort=created").texts(EMAILS)[-1] == EVE


def test_pages_lead_on_and_back(bob: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 2)
    bob.get("/members")
    assert bob.get(bob.select("[rel=next]")[0].get("href")).texts(EMAILS) == [EVE]
    assert bob.get(bob.select("[rel=prev]")[0].get("href")).texts(EMAILS) == [BOB, DORA]


@pytest.mark.parametrize("sort", ["name", "email", "created"])
def test_a_forged_place_is_a_page_like_any_other(bob: PageClient, sort: str) -> None:
    for values in FORGED:
        for cursor in (Cursor(values), Cursor(values, backward=True)):
            assert bob.get(f"/members?sort={sort}&cursor={encode_cursor(cursor, sort)}").status == 200
    assert bob.get(f"/members?sort={sort}&cursor={'x' * 3000}").texts(EMAILS) == [BOB, DORA, EVE]


def test_a_place_in_another_tenants_list_shows_nobody_of_it(bob: PageClient, globex: TenantRoute) -> None:
    carol = make_carol(globex)
    page = bob.get(f"/members?cursor={encode_cursor(Cursor(('carol danvers', carol), backward=True), 'name')}")
    assert page.texts(EMAILS) == [BOB]


def test_the_file_has_everybody_in_the_order_of_the_list(bob: PageClient) -> None:
    rows = download(bob, "?sort=-name")
    assert rows[0] == ["name", "email", "role", "state", "created_at", "last_signed_in_at", "id"]
    assert [row[:4] for row in rows[1:2]] == [["Eve Evans", "eve@acme.example", "Admin", "invited"]]
    assert [row[0] for row in rows[1:]] == ["Eve Evans", "Dora Doe", "Bob Builder"]


def test_the_file_has_what_search_and_filters_leave(bob: PageClient) -> None:
    bob.get("/members?state=invited")
    link = next(link for link in bob.select("#members a") if "csv" in (link.get("href") or "")).get("href")
    assert [row[0] for row in csv.reader(io.StringIO(bob.get(link).text))] == ["name", "Eve Evans"]


def test_a_name_cannot_run_in_a_spreadsheet(bob: PageClient, acme: TenantRoute) -> None:
    invite(acme, "mal@acme.example", name='=HYPERLINK("http://evil.example","Bob")')
    assert "'=HYPERLINK" in next(row[0] for row in download(bob) if "HYPERLINK" in row[0])
    assert bob.get("/members.csv").response.headers["Content-Disposition"].startswith("attachment; filename=members-")


def test_a_name_cannot_be_markup(bob: PageClient, acme: TenantRoute) -> None:
    invite(acme, "mal@acme.example", name="<script>alert(1)</script>")
    assert "<script>alert(1)</script>" in bob.get("/members").texts("tbody th a")


def test_who_may_only_read_sees_no_way_to_manage(app: Portal, acme: TenantRoute) -> None:
    make_member(acme, DORA)
    page = sign_in(app, host_of(acme), DORA).get("/members")
    assert page.texts(EMAILS) == [DORA]
    assert page.texts("tbody .pill")[0] == "You"
    assert "Invite a member" not in page.text
    assert not page.select("tbody a")
