"""The list of staff users in the browser: search, filters, order, pages, and the same list as a file."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from app.core.tenancy.scopes import platform_scope
from app.staff import queries, services
from app.web.hosts import Portal
from app.web.tables import Cursor, encode_cursor
from tests.factories import ADA, ADMIN_HOST, SETUP, make_staff_user, sign_in, sign_in_as_ada
from tests.guarded import NOBODY
from tests.page import PageClient

EMAILS = "td[data-label=E-mail]"
SAM, ZOE = "sam@platform.example", "zoe@platform.example"
FORGED = ((), ("A", "B"), ("A", 7), (None, None), (None, NOBODY), (datetime.min.replace(tzinfo=UTC), NOBODY))


@pytest.fixture
def ada(app: Portal) -> PageClient:
    """Ada's browser; Sam is in support, and Zoe, an admin, is deactivated."""
    make_staff_user()
    make_staff_user(SAM, role="support", name="sam spade")
    zoe = make_staff_user(ZOE, name="Zoé Zola")
    with platform_scope("test"):
        services.deactivate_staff_user(zoe, actor=SETUP)
    return sign_in_as_ada(app)


def download(browser: PageClient, query: str = "") -> list[list[str]]:
    return list(csv.reader(io.StringIO(browser.get(f"/staff.csv{query}").text)))


def test_everybody_is_listed_with_role_and_state(ada: PageClient) -> None:
    page = ada.get("/staff")
    assert page.texts(EMAILS) == [ADA, SAM, ZOE]
    assert page.texts("td[data-label=Role]") == ["Platform admin", "Support", "Platform admin"]
    assert page.texts("td[data-label=State]") == ["Active", "Active", "Deactivated"]
    assert "2 active, 1 deactivated." in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=SAM", [SAM]),
        ("q=zoÉ+z", [ZOE]),
        ("q=ada@", [ADA]),
        ("q=%25", []),
        ("state=deactivated", [ZOE]),
        ("role=support", [SAM]),
        ("role=admin&state=active", [ADA]),
        ("role=king", [ADA, SAM, ZOE]),
        ("sort=-name", [ZOE, SAM, ADA]),
        ("sort=-email", [ZOE, SAM, ADA]),
        ("sort=created", [ADA, SAM, ZOE]),
    ],
)
def test_the_address_says_what_is_shown(ada: PageClient, query: str, found: list[str]) -> None:
    assert ada.get(f"/staff?{query}").texts(EMAILS) == found


def test_search_works_without_javascript(ada: PageClient) -> None:
    ada.get("/staff")
    assert ada.submit("#filter", q="sam", role="support").texts(EMAILS) == [SAM]
    assert "No staff user matches" in ada.submit("#filter", q="nobody").text


def test_htmx_gets_the_table_alone(ada: PageClient) -> None:
    page = ada.get("/staff?q=sam", fragment=True)
    assert page.texts(EMAILS) == [SAM]
    assert not page.select("#filter")


@pytest.mark.parametrize("sort", ["name", "-name", "email", "created", "-created"])
def test_pages_show_everybody_once_there_and_back(ada: PageClient, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 1)
    seen = ada.get(f"/staff?sort={sort}").texts(EMAILS)
    for direction in ("next", "next", "prev", "prev"):
        seen += ada.get(ada.select(f"[rel={direction}]")[0].get("href")).texts(EMAILS)
    assert seen == [*seen[:3], seen[1], seen[0]]
    assert sorted(seen[:3]) == [ADA, SAM, ZOE]


@pytest.mark.parametrize("sort", ["name", "email", "created"])
def test_a_forged_place_is_a_page_like_any_other(ada: PageClient, sort: str) -> None:
    for values in FORGED:
        for cursor in (Cursor(values), Cursor(values, backward=True)):
            assert ada.get(f"/staff?sort={sort}&cursor={encode_cursor(cursor, sort)}").status == 200
    assert ada.get(f"/staff?sort={sort}&cursor={'x' * 3000}").texts(EMAILS) == [ADA, SAM, ZOE]


def test_the_file_has_what_search_and_filters_leave_in_the_same_order(ada: PageClient) -> None:
    rows = download(ada, "?role=admin&sort=-name")
    assert rows[0] == ["name", "email", "role", "state", "created_at", "last_signed_in_at", "id"]
    assert [row[1:4] for row in rows[1:]] == [[ZOE, "admin", "deactivated"], [ADA, "admin", "active"]]


def test_a_name_cannot_run_in_a_spreadsheet(ada: PageClient) -> None:
    make_staff_user("mal@platform.example", role="support", name="+cmd|' /C calc'!A1")
    assert "'+cmd|' /C calc'!A1" in [row[0] for row in download(ada)]


def test_support_sees_the_list_and_no_way_to_manage(app: Portal, ada: PageClient) -> None:
    page = sign_in(app, ADMIN_HOST, SAM).get("/staff")
    assert page.texts(EMAILS) == [ADA, SAM, ZOE]
    assert "New staff user" not in page.text
