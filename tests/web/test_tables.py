"""The state of a list in its URL, cursors, CSV."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.web.tables import (
    Cursor,
    CursorValue,
    TableState,
    build_page,
    csv_cell,
    csv_response,
    decode_cursor,
    encode_cursor,
)
from tests.page import PageClient

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
TIMES = st.datetimes(timezones=st.just(UTC))
INTEGERS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.one_of(TEXTS, INTEGERS, TIMES, st.dates(), st.uuids(), st.none())


@given(values=st.lists(VALUES, max_size=4).map(tuple), backward=st.booleans())
def test_a_cursor_comes_back_as_it_was(values: tuple[CursorValue, ...], backward: bool) -> None:
    cursor = Cursor(values, backward)
    text = encode_cursor(cursor, "name")
    assert decode_cursor(text, "name", tuple(type(value) for value in values)) == cursor
    assert text.isascii()


@given(text=st.text(max_size=60))
def test_no_text_breaks_the_decoder(text: str) -> None:
    assert decode_cursor(text, "name", (str, UUID)) is None


def test_a_cursor_of_another_order_or_other_kinds_is_the_first_page() -> None:
    text = encode_cursor(Cursor(("Acme", 7)), "name")
    assert decode_cursor(text, "created", (str, int)) is None
    assert decode_cursor(text, "name", (str, UUID)) is None
    assert decode_cursor(text, "name", (str,)) is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "A" * 3000,
        "WyJuYW1lIiwwLFsicyIsIlx1ZDgwMCJdXQ",  # A lone surrogate.
        "WyJuYW1lIiwwLFsicyIsImFcdTAwMDAiXV0",  # A NUL.
        "WyJuYW1lIiwwLFsiaSIsOTIyMzM3MjAzNjg1NDc3NTgwOF1d",  # 2**63.
        "WyJuYW1lIiwwLFsieiIsImEiXV0",  # An unknown tag.
        "WyJuYW1lIiwwLFsidSIsIm5vIl1d",  # No UUID.
        "W10",
        "MQ",
    ],
)
def test_a_forged_cursor_is_the_first_page(text: str | None) -> None:
    assert decode_cursor(text, "name", (str,)) is None
    assert decode_cursor(text, "name", (int,)) is None
    assert decode_cursor(text, "name", (UUID,)) is None


def _walk(limit: int, cursor: Cursor | None) -> tuple[list[int], str | None, str | None]:
    rows = list(range(10))
    if cursor is not None:
        edge = cursor.values[0]
        assert isinstance(edge, int)
        rows = [row for row in reversed(rows) if row < edge] if cursor.backward else [row for row in rows if row > edge]
    fetched = rows[: limit + 1]
    page = build_page(fetched, limit=limit, cursor=cursor, sort="id", values=lambda row: (row,))
    return list(page.rows), page.next_cursor, page.previous_cursor


def test_pages_lead_forward_to_the_end_and_back_to_the_start() -> None:
    seen, cursor = [], None
    rows, forward, back = _walk(4, cursor)
    assert back is None
    while forward:
        seen.append(rows)
        rows, forward, back = _walk(4, decode_cursor(forward, "id", (int,)))
    assert [*seen, rows] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    rows, forward, back = _walk(4, decode_cursor(back, "id", (int,)))
    assert rows == [4, 5, 6, 7]
    rows, forward, back = _walk(4, decode_cursor(back, "id", (int,)))
    assert (rows, back) == ([0, 1, 2, 3], None)
    assert forward is not None


def test_an_empty_page_leads_nowhere() -> None:
    page = build_page([], limit=4, cursor=Cursor((99,)), sort="id", values=lambda row: (row,), total=0)
    assert (page.next_cursor, page.previous_cursor, page.total) == (None, None, 0)


def _state(query: dict[str, str]) -> TableState:
    filters = {"status": {"active", "suspended"}, "tag": None}
    return TableState.from_args(MultiDict(query), sorts=["name", "created"], default_sort="-created", filters=filters)


def test_the_state_of_a_list_survives_the_address() -> None:
    query = {"q": "ac me", "status": "active", "tag": "vip", "sort": "name", "cursor": "abc"}
    assert _state(query).query == "?q=ac+me&status=active&tag=vip&sort=name&cursor=abc"


def test_what_is_unknown_counts_as_absent() -> None:
    state = _state({"q": " \x00 ", "status": "nonsense", "tag": "\x00", "sort": "password", "page": "3"})
    assert (state.query, state.sort, state.descending, state.is_narrowed) == ("?", "created", True, False)


def test_a_header_sorts_then_turns_and_begins_at_the_first_page() -> None:
    state = _state({"sort": "name", "cursor": "abc", "q": "a"})
    assert state.aria_sort("name") == "ascending"
    assert state.sort_query("name") == "?q=a&sort=-name"
    assert state.sort_query("created") == "?q=a&sort=created"
    assert _state({}).aria_sort("created") == "descending"
    assert _state({}).aria_sort("name") == "none"


def test_filters_and_pages_have_addresses() -> None:
    state = _state({"status": "active", "cursor": "abc"})
    assert state.filter_query("status", "") == "?"
    assert state.filter_query("tag", "vip") == "?status=active&tag=vip"
    assert state.page_query("xyz") == "?status=active&cursor=xyz"
    assert state.query_without_place == "?status=active"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_text_becomes_a_formula_in_a_spreadsheet(start: str) -> None:
    assert csv_cell(f"{start}cmd|' /C calc'!A1") == f"'{start}cmd|' /C calc'!A1"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (-5, -5),
        (None, ""),
        ("Acme", "Acme"),
        (datetime(2026, 5, 14, tzinfo=UTC), "2026-05-14T00:00:00+00:00"),
        (date(2026, 5, 14), "2026-05-14"),
    ],
)
def test_other_values_stay_what_they_are(value: object, cell: object) -> None:
    assert csv_cell(value) == cell


def test_rows_are_sent_as_a_file(gallery: Flask) -> None:
    rows = (("Acme; Inc", number, 'say "hi"') for number in (1, 2))
    with gallery.test_request_context("/"):
        response = csv_response("tenants.csv", ["Name", "Members", "Note"], rows)
        text = response.get_data(as_text=True)
    assert response.headers["Content-Disposition"] == "attachment; filename=tenants.csv"
    assert list(csv.reader(io.StringIO(text)))[1] == ["Acme; Inc", "1", 'say "hi"']


def test_an_empty_list_is_a_file_with_its_header(gallery: Flask) -> None:
    with gallery.test_request_context("/"):
        assert csv_response("a.csv", ["Name"], []).get_data(as_text=True) == '"Name"\r\n'


def test_a_list_can_be_searched_filtered_sorted_and_paged_without_javascript(visitor: PageClient) -> None:
    visitor.get("/rows")
    page = visitor.submit("#filter", q="o", status="active")
    assert page.url.endswith("/rows")
    assert "No tenant matches" in page.text
    page = visitor.get("/rows?sort=-members")
    assert page.texts("tbody th a")[0] == "Umbrella"
    page = visitor.get("/rows" + (page.select("#page-next")[0].get("href") or "").removeprefix("/rows"))
    assert len(page.select("tbody th")) == 2
