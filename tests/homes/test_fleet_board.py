"""The fleet board: versions, runs and drift for staff who may see them, and buttons for those who may press them."""

from __future__ import annotations

import pytest

from app.core.database.owner import owner_connection
from app.core.database.versions import newest_version
from app.core.tenancy.scopes import Tier
from app.homes.models import FleetRun, HomeCheck, RunState
from app.web.hosts import Portal
from tests.factories import rows_of
from tests.homes.fleets import home_name, make_homes
from tests.homes.placing import make_home
from tests.homes.releases import Release
from tests.homes.test_drift import change
from tests.homes.test_migrate_fleet import BREAK_ALL
from tests.page import PageClient
from tests.work import run_jobs


def rows_on(page: PageClient) -> list[str]:
    """Return the names of the homes that a page lists."""
    return page.texts("#home-table tbody th a")


def start_run(ada: PageClient) -> None:
    """Start a run through the form."""
    ada.get("/fleet/runs/new")
    ada.submit("/fleet/runs")


def test_without_a_run_it_says_what_one_does(ada: PageClient) -> None:
    page = ada.get("/fleet")
    assert "No run yet" in page.text
    assert page.texts("#version-table tbody td")[1] == newest_version("tenant")


def test_a_run_is_followed_to_its_end(release: Release, ada: PageClient) -> None:
    make_homes(2)
    newest = release.add()
    start_run(ada)
    assert "Running, to version" in ada.get("/fleet").text
    run_jobs()
    assert f"Done, to version {newest}" in ada.get("/fleet").text
    assert "3 migrated, 0 failed, 0 to come" in ada.get("/fleet").text
    assert ada.get("/fleet/run").select("#run")[0].get("hx-trigger") is None


def test_a_live_run_asks_for_itself_and_refreshes_without_javascript(release: Release, ada: PageClient) -> None:
    make_homes(1)
    release.add()
    start_run(ada)
    page = ada.get("/fleet")
    assert page.select("#run")[0].get("hx-trigger") == "every 1s"
    assert "http-equiv" in page.response.text
    assert "Running" in ada.get("/fleet/run").text


def test_failures_are_named_and_can_be_tried_again_or_gone_without(release: Release, ada: PageClient) -> None:
    homes = make_homes(2)
    release.add(BREAK_ALL, "pass")
    start_run(ada)
    run_jobs()
    page = ada.get("/fleet")
    assert "The run has stopped" in page.text
    (failed,) = page.texts("#failed-table tbody th")
    assert failed.rpartition("/")[2] in {home_name(home) for home in homes}
    run_id = rows_of(FleetRun)[0].id
    ada.submit(f"/fleet/runs/{run_id}/retries")
    run_jobs()
    ada.get("/fleet")
    ada.submit(f"/fleet/runs/{run_id}/resumptions")
    run_jobs()
    assert ada.get("/fleet").texts("#failed-table tbody th") != [failed]


def test_a_run_is_paused_and_resumed(release: Release, ada: PageClient) -> None:
    make_homes(1)
    release.add()
    start_run(ada)
    run_id = rows_of(FleetRun)[0].id
    ada.get("/fleet")
    ada.submit(f"/fleet/runs/{run_id}/pauses")
    run_jobs()
    assert "Paused, to version" in ada.get("/fleet").text
    ada.submit(f"/fleet/runs/{run_id}/resumptions")
    run_jobs()
    assert rows_of(FleetRun)[0].state == RunState.DONE


def test_a_percentage_that_is_none_comes_back(ada: PageClient) -> None:
    ada.get("/fleet/runs/new")
    ada.submit("/fleet/runs", percent="101")
    assert ada.status == 422
    assert rows_of(FleetRun) == []


def test_support_looks_and_does_not_touch(sam: PageClient) -> None:
    page = sam.get("/fleet")
    buttons = [form.get("action") for form in page.select("form[method=post]")]
    assert (page.status, [action for action in buttons if "fleet" in action]) == (200, [])
    assert sam.get("/fleet/runs/new").status == 403


def test_drift_is_on_the_board_and_on_the_homes_page(ada: PageClient, app: Portal) -> None:
    acme, _globex = make_homes(2)
    change(acme, "alter table settings add column colour text")
    ada.get("/fleet")
    ada.submit("/fleet/checks")
    run_jobs()
    page = ada.get("/fleet")
    assert "1 home differs from the empty home of its version" in page.text
    assert rows_on(ada.get("/fleet?standing=drifted")) == [acme.slug]
    page = ada.get(f"/fleet/home?server=main&name={home_name(acme)}")
    assert "alter table settings drop column colour" in page.text
    assert "No differences" in ada.get("/fleet/home?server=main&name=pool").text
    assert len(rows_of(HomeCheck)) >= 3


def test_what_could_not_be_compared_says_why(ada: PageClient) -> None:
    (acme,) = make_homes(1)
    path = f"/fleet/home?server=main&name={home_name(acme)}"
    assert "Not compared yet" in ada.get(path).text
    change(acme, "create view strange as select 1 as one")
    ada.get("/fleet")
    ada.submit("/fleet/checks")
    run_jobs()
    assert "could not be compared" in ada.get(path).text


@pytest.mark.parametrize("name", ["nothing", "home_template", "%00"])
def test_a_home_that_is_none_is_not_found(ada: PageClient, name: str) -> None:
    assert ada.get(f"/fleet/home?server=main&name={name}").status == 404


def test_homes_are_searched_filtered_sorted_and_paged(
    ada: PageClient, annex: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schemas = make_homes(3)
    database = make_home("alone", Tier.DATABASE, annex)
    for query, names in {
        "q=tenant-": [home.slug for home in sorted(schemas, key=home_name)],
        f"q={home_name(database)}": ["alone"],
        "tier=database": ["alone"],
        f"server={annex}&tier=database": ["alone"],
        "standing=ahead": [],
        "standing=behind": [],
        "standing=failed": [],
        "standing=current&tier=database": ["alone"],
    }.items():
        assert rows_on(ada.get(f"/fleet?{query}")) == names, query
    monkeypatch.setattr("app.homes.queries.PAGE_ROWS", 2)
    for sort in ("home", "-home", "version", "-migrated"):
        assert sorted(walk(ada, sort)) == sorted(["Pool", "Pool", "alone", *(home.slug for home in schemas)]), sort
    assert walk(ada, "-home") == walk(ada, "home")[::-1]


def walk(ada: PageClient, sort: str) -> list[str]:
    """Return the homes of every page in turn, and see that the way back is the same."""
    page = ada.get(f"/fleet?sort={sort}")
    names = rows_on(page)
    while page.select("a#page-next"):
        page = ada.get(page.select("a#page-next")[0].get("href"))
        names += rows_on(page)
    while page.select("a#page-previous"):
        page = ada.get(page.select("a#page-previous")[0].get("href"))
    assert rows_on(page) == names[:2]
    return names


def test_the_export_has_what_the_filters_leave(ada: PageClient) -> None:
    (acme,) = make_homes(1)
    lines = ada.get("/fleet.csv?tier=schema").response.text.splitlines()
    assert [line.split(",")[0] for line in lines] == ['"home"', f'"{acme.slug}"']


@pytest.mark.parametrize(("version", "words"), [("0000", "Behind, not served"), ("9999", "Ahead, not served")])
def test_a_home_that_is_not_served_is_told_apart(ada: PageClient, version: str, words: str) -> None:
    make_homes(1)
    with owner_connection() as control:
        control.execute("update control.home_versions set version = %s where tier = 'schema'", (version,))
    assert words in ada.get("/fleet").text
