"""The registry of navigation entries."""

from __future__ import annotations

import pytest

from app.web.navigation import NavItem, items_for, register
from tests.page import PageClient

JOBS = NavItem("test", "Jobs", "jobs_test.list_jobs", "activity", "job:read", 20)
HOME = NavItem("test", "Overview", "dashboard_test.show_overview", "home", None, 10)


@pytest.fixture(autouse=True)
def _entries() -> None:
    register(JOBS)
    register(HOME)


def test_entries_come_in_their_order() -> None:
    assert items_for("test", lambda _: True) == [HOME, JOBS]


def test_an_entry_shows_only_to_those_who_may_open_it() -> None:
    assert items_for("test", lambda permission: permission != "job:read") == [HOME]


def test_another_surface_has_entries_of_its_own() -> None:
    assert items_for("elsewhere", lambda _: True) == []


def test_the_same_entry_twice_counts_once_and_a_different_one_is_refused() -> None:
    register(JOBS)
    with pytest.raises(ValueError, match=r"jobs_test\.list_jobs has a different"):
        register(NavItem("test", "Work", "jobs_test.list_jobs", "bolt", None, 1))
    assert len(items_for("test", lambda _: True)) == 2


def test_the_page_where_one_is_stands_out(visitor: PageClient) -> None:
    current = visitor.get("/rows").select(".nav-main [aria-current=page]")
    assert [element.get("href") for element in current] == ["/rows"]
