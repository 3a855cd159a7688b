"""The pages of operations: all of them, one of them live, and what can be done about a failed one."""

from __future__ import annotations

import pytest

from app.core.ids import new_id
from app.core.tenancy.scopes import TenantRoute
from app.operations import queries
from tests.operations.toys import SCOPES, TOY, break_at, fail, get, start, use_up_attempts
from tests.page import PageClient
from tests.work import run_jobs


def listed(client: PageClient) -> list[str]:
    """Return the tenants of the listed operations."""
    return client.page.texts("#operation-table td a")


def test_an_empty_list_says_what_an_operation_is(ada: PageClient) -> None:
    assert "No operations yet" in ada.get("/operations").text


def test_operations_are_listed_newest_first_with_where_they_stand(
    ada: PageClient, acme: TenantRoute, globex: TenantRoute
) -> None:
    start(acme)
    run_jobs()
    start(globex)
    ada.get("/operations")
    assert listed(ada) == ["globex", "acme"]
    assert ("6 of 6" in ada.text, "0 of 6" in ada.text) == (True, True)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state=done", ["acme"]),
        ("?state=failed", []),
        (f"?kind={TOY}", ["globex", "acme"]),
        ("?tenant=globex", ["globex"]),
        ("?tenant=nobody", []),
        ("?state=nonsense&kind=nonsense", ["globex", "acme"]),
    ],
)
def test_filters_stand_in_the_address(
    ada: PageClient, acme: TenantRoute, globex: TenantRoute, query: str, found: list[str]
) -> None:
    start(acme)
    run_jobs()
    start(globex)
    ada.get(f"/operations{query}")
    assert listed(ada) == found


def test_a_tenant_is_found_by_its_id(ada: PageClient, acme: TenantRoute, globex: TenantRoute) -> None:
    start(acme)
    start(globex)
    ada.get("/operations")
    ada.submit("#filter", tenant=str(acme.tenant_id))
    assert listed(ada) == ["acme"]


def test_pages_lead_on_and_back(ada: PageClient, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 1)
    ids = []
    for _ in range(3):
        ids.insert(0, start(acme))
        run_jobs()
    seen = [ada.get("/operations").select("#operation-table th a")[0].get("href")]
    while ada.select("[rel=next]"):
        ada.get(ada.select("[rel=next]")[0].get("href") or "")
        seen.append(ada.select("#operation-table th a")[0].get("href"))
    assert seen == [f"/operations/{id_}" for id_ in ids]
    ada.get(ada.select("[rel=prev]")[0].get("href") or "")
    assert ada.select("#operation-table th a")[0].get("href") == seen[1]


def test_the_export_holds_what_the_filters_leave(ada: PageClient, acme: TenantRoute, globex: TenantRoute) -> None:
    operation_id = start(acme)
    start(globex)
    lines = ada.get("/operations.csv?tenant=acme").response.get_data(as_text=True).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f'"{operation_id}","{TOY}","pending","{acme.tenant_id}","Ada",1,0,6,')


def test_the_export_ends_at_its_limit(ada: PageClient, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "EXPORT_ROWS", 1)
    for _ in range(2):
        start(acme)
        run_jobs()
    assert len(ada.get("/operations.csv").response.get_data(as_text=True).splitlines()) == 2


def test_a_running_operations_page_asks_for_itself_each_second(ada: PageClient, acme: TenantRoute) -> None:
    operation_id = start(acme)
    break_at("fill")
    run_jobs(may_fail=True)
    page = ada.get(f"/operations/{operation_id}")
    (part,) = page.select("#operation_progress")
    assert (part.get("hx-trigger"), part.get("hx-get")) == ("every 1s", f"/operations/{operation_id}")
    assert [(bar.get("value"), bar.get("max")) for bar in page.select("progress")] == [("2", "6")]
    assert page.select("noscript meta")[0].get("content") == "2"
    assert "A step failed and will be tried again RuntimeError: fill broke" in page.text


def test_the_progress_says_when_it_has_ended(ada: PageClient, acme: TenantRoute) -> None:
    operation_id = start(acme)
    running = ada.get(f"/operations/{operation_id}", fragment=True)
    run_jobs()
    ended = ada.get(f"/operations/{operation_id}", fragment=True)
    assert ("HX-Trigger" in running.response.headers, ended.response.headers["HX-Trigger"]) == (
        False,
        '{"operation-ended": {"target": "body"}}',
    )
    assert ended.select("#operation_progress")[0].get("hx-trigger") is None


def test_the_log_tells_each_steps_times_and_error(ada: PageClient, acme: TenantRoute) -> None:
    operation_id = fail(acme, "seal")
    page = ada.get(f"/operations/{operation_id}")
    rows = page.texts("#log-table tbody tr")
    assert [row.startswith(f"Do {name}") for row, name in zip(rows, SCOPES, strict=True)] == [True] * 6
    assert "RuntimeError: seal broke" in rows[3]
    assert rows[5] == "Do last Pending"


def test_a_failed_operation_is_retried_by_its_button(ada: PageClient, acme: TenantRoute) -> None:
    operation_id = fail(acme, "seal")
    ada.get(f"/operations/{operation_id}")
    ada.submit("Retry")
    assert "The operation goes on." in ada.text
    run_jobs()
    assert get(operation_id).state == "done"
    assert ada.get(f"/operations/{operation_id}").texts("main form") == []


def test_taking_back_asks_first_and_says_what_it_undoes(ada: PageClient, acme: TenantRoute) -> None:
    operation_id = fail(acme, "seal")
    ada.get(f"/operations/{operation_id}")
    ada.get(ada.select("a.btn-danger-quiet")[0].get("href") or "")
    assert ada.page.texts("main li")[-4:] == ["Do first", "Do home", "Do fill", "Do seal"]
    ada.submit("Take back")
    run_jobs()
    assert get(operation_id).state == "compensated"
    assert "Taken back" in ada.get(f"/operations/{operation_id}").text


def test_one_whose_taking_back_failed_offers_no_other_way(ada: PageClient, acme: TenantRoute) -> None:
    operation_id = fail(acme, "seal")
    ada.get(f"/operations/{operation_id}/compensation")
    break_at("undo home")
    ada.submit("Take back")
    use_up_attempts()
    page = ada.get(f"/operations/{operation_id}")
    assert (page.texts("main button"), page.select("a.btn-danger-quiet")) == (["Retry"], [])


def test_what_has_not_failed_is_refused(ada: PageClient, acme: TenantRoute) -> None:
    operation_id = fail(acme, "seal")
    ada.get(f"/operations/{operation_id}")
    form = ada.page
    ada.submit("Retry")
    ada.page = form
    assert ada.submit("Retry").status == 409


def test_an_operation_that_is_none_is_not_found(ada: PageClient) -> None:
    assert ada.get(f"/operations/{new_id()}").status == 404


def test_support_sees_it_and_is_offered_nothing(sam: PageClient, acme: TenantRoute) -> None:
    operation_id = fail(acme, "seal")
    assert sam.get("/operations").status == 200
    page = sam.get(f"/operations/{operation_id}")
    assert (page.status, page.texts("main form"), page.select("a.btn-danger-quiet")) == (200, [], [])
    assert sam.get(f"/operations/{operation_id}/compensation").status == 403
