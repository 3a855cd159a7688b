"""The Jobs page: what runs, what waits, what failed, and who works."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core import clock
from app.core.ids import new_id
from app.core.redis import get_redis
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.jobs import queries
from app.jobs.doorbell import leave_sign
from app.jobs.worker import QueueWorker
from app.web.hosts import Portal
from tests.jobs.toys import Toy, queue
from tests.page import PageClient
from tests.tenant_rows import set_home, set_tenant
from tests.work import run_jobs


def kinds(client: PageClient) -> list[str]:
    return client.page.texts("#job-table tbody th a")


def stages(client: PageClient) -> list[str]:
    return [text for cell, text in zip(client.select("#job-table td"), client.page.texts("#job-table td"), strict=True)
            if cell.get("data-label") == "State"]  # fmt: skip


def test_an_empty_page_says_what_will_be_here(ada: PageClient) -> None:
    assert "No jobs yet" in ada.get("/jobs").text


def test_jobs_of_the_platform_and_of_tenants_stand_in_one_list_newest_first(
    ada: PageClient, acme: TenantRoute, globex: TenantRoute
) -> None:
    queue(Toy.NOTE, acme)
    queue(Toy.OPERATE)
    queue(Toy.FAIL, globex)
    ada.get("/jobs")
    assert kinds(ada) == ["toy.fail", "toy.operate", "toy.note"]
    assert [a.get("href") for a in ada.select("td a")] == [f"/tenants/{globex.tenant_id}", f"/tenants/{acme.tenant_id}"]


def test_each_stage_of_a_job_has_its_word(ada: PageClient, acme: TenantRoute, globex: TenantRoute) -> None:
    set_tenant(acme.tenant_id, status="suspended")
    queue(Toy.NOTE, acme)
    queue(Toy.NOTE, globex)
    queue(Toy.FAIL)
    run_jobs(may_fail=True)
    queue(Toy.NOTE, run_at=clock.now() + timedelta(hours=1))
    queue(Toy.NOTE)
    ada.get("/jobs")
    assert stages(ada) == ["Pending", "Scheduled", "Retrying", "Done", "Waiting"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "suspended"}, "the tenant is suspended"),
        ({"status": "archived"}, "the tenant is archived"),
        ({"status": "active"}, "the tenant works again; it runs within a minute"),
    ],
)
def test_a_job_that_waits_says_why(ada: PageClient, acme: TenantRoute, changes: dict[str, str], reason: str) -> None:
    set_tenant(acme.tenant_id, status="suspended")
    job_id = queue(Toy.NOTE, acme)
    run_jobs()
    set_tenant(acme.tenant_id, **changes)
    assert f"Waits: {reason}" in ada.get("/jobs").texts("#job-table .sub")
    assert f"It waits: {reason}." in ada.get(f"/jobs/{job_id}").text


def test_a_job_that_waits_for_a_home_says_so(ada: PageClient, acme: TenantRoute) -> None:
    queue(Toy.NOTE, acme)
    set_home(acme.tenant_id, state="fenced")
    run_jobs()
    assert "Waits: the tenant’s home is under maintenance" in ada.get("/jobs").texts("#job-table .sub")


def test_a_job_whose_tenant_is_gone_says_so(app: Portal, acme: TenantRoute) -> None:
    set_tenant(acme.tenant_id, status="suspended")
    job_id = queue(Toy.NOTE, acme)
    run_jobs()
    with platform_scope("test"):
        job = replace(queries.get_job(job_id), tenant_id=new_id())
    assert job.wait_reason == "the tenant is gone"


def test_figures_count_what_waits_and_what_failed(ada: PageClient, acme: TenantRoute) -> None:
    queue(Toy.NOTE, acme, run_at=clock.now() + timedelta(hours=1))
    queue(Toy.NOTE, run_at=clock.now() + timedelta(hours=1))
    queue(Toy.OPERATE)
    ada.get("/jobs")
    assert ada.page.texts(".stat-value") == ["0", "1", "2", "0"]


def test_figures_are_a_tenants_own_when_the_page_shows_one(
    ada: PageClient, acme: TenantRoute, globex: TenantRoute
) -> None:
    queue(Toy.NOTE, acme)
    queue(Toy.OPERATE, concerning=acme.tenant_id)
    queue(Toy.NOTE, globex)
    ada.get("/jobs?tenant=acme")
    assert ada.page.texts(".stat-value") == ["1", "1", "0", "0"]
    assert ada.select(".stat a")[1].get("href") == "/jobs?tenant=acme&state=failed"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state=scheduled", ["toy.operate"]),
        ("?kind=mail.send", []),
        ("?tenant=acme", ["toy.note"]),
        ("?tenant=nobody", []),
        ("?state=nonsense", ["toy.operate", "toy.fail", "toy.note"]),
    ],
)
def test_filters_stand_in_the_address(ada: PageClient, acme: TenantRoute, query: str, found: list[str]) -> None:
    queue(Toy.NOTE, acme)
    queue(Toy.FAIL)
    queue(Toy.OPERATE, run_at=clock.now() + timedelta(hours=1))
    ada.get(f"/jobs{query}")
    assert kinds(ada) == found


def test_a_tenants_jobs_are_found_by_its_id_the_platforms_that_concern_it_included(
    ada: PageClient, acme: TenantRoute, globex: TenantRoute
) -> None:
    queue(Toy.NOTE, acme)
    queue(Toy.OPERATE, concerning=acme.tenant_id)
    queue(Toy.FAIL, globex)
    ada.get(f"/jobs?tenant={acme.tenant_id}")
    assert kinds(ada) == ["toy.operate", "toy.note"]


def test_pages_of_both_outboxes_lead_on_and_back(
    ada: PageClient, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 2)
    for kind in (Toy.NOTE, Toy.FAIL, Toy.BLOCK):
        queue(kind, acme)
        queue(Toy.OPERATE)
    seen = [kinds(ada) for _ in [ada.get("/jobs")]]
    while ada.select("[rel=next]"):
        ada.get(ada.select("[rel=next]")[0].get("href") or "")
        seen.append(kinds(ada))
    assert seen == [["toy.operate", "toy.block"], ["toy.operate", "toy.fail"], ["toy.operate", "toy.note"]]
    ada.get(ada.select("[rel=prev]")[0].get("href") or "")
    assert kinds(ada) == seen[1]


def test_the_page_refreshes_its_living_part_and_keeps_its_filters(ada: PageClient) -> None:
    (part,) = ada.get("/jobs?state=failed").select("#jobs")
    assert (part.get("hx-get"), part.get("hx-trigger")) == ("/jobs?state=failed", "every 3s")
    assert ada.get("/jobs?state=failed", fragment=True).select("#jobs")


def test_workers_and_the_dispatcher_are_listed(ada: PageClient) -> None:
    worker = QueueWorker(["operations"], connection=get_redis(), worker_ttl=30)
    worker.register_birth()
    leave_sign()
    ada.get("/jobs")
    assert "The dispatcher was at work" in ada.text
    assert ada.page.texts("#worker-table td")[0] == "operations"
    assert "0 running, 1 worker" in ada.page.texts(".stat-hint")
    worker.register_death()
    assert "No worker is running" in ada.get("/jobs").text


def test_a_worker_that_has_fallen_silent_is_marked(ada: PageClient) -> None:
    worker = QueueWorker(["default"], connection=get_redis(), worker_ttl=30)
    worker.register_birth()
    get_redis().hset(worker.key, "last_heartbeat", "2026-01-01T00:00:00.000000Z")
    assert "Silent" in ada.get("/jobs").text


def test_the_page_works_without_redis_and_says_so(ada: PageClient, redis_down: None) -> None:
    queue(Toy.NOTE)
    ada.get("/jobs")
    assert "Redis does not answer" in ada.text
    assert kinds(ada) == ["toy.note"]


def test_the_export_holds_what_the_filters_leave_and_no_payload(ada: PageClient, acme: TenantRoute) -> None:
    queue(Toy.NOTE, acme, text="secret")
    queue(Toy.FAIL)
    lines = ada.get("/jobs.csv?tenant=acme").response.get_data(as_text=True).splitlines()
    assert len(lines) == 2
    assert f'"toy.note","default","pending",0,"{acme.tenant_id}"' in lines[1]
    assert "secret" not in lines[1]


def test_the_export_goes_on_behind_the_first_thousand(
    ada: PageClient, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "EXPORT_ROWS", 2)
    for _ in range(3):
        queue(Toy.NOTE, acme)
    assert len(ada.get("/jobs.csv").response.get_data(as_text=True).splitlines()) == 3


def test_a_jobs_page_tells_what_is_known_of_it(ada: PageClient, acme: TenantRoute) -> None:
    job_id = queue(Toy.FAIL, acme)
    run_jobs(may_fail=True)
    page = ada.get(f"/jobs/{job_id}")
    assert "RuntimeError: toy broke" in page.text
    assert page.select("#job")[0].get("hx-trigger") == "every 2s"


def test_an_ended_jobs_page_asks_no_more(ada: PageClient) -> None:
    job_id = queue(Toy.NOTE)
    run_jobs()
    assert ada.get(f"/jobs/{job_id}").select("#job")[0].get("hx-trigger") is None


def test_a_job_that_is_none_is_not_found(ada: PageClient) -> None:
    assert ada.get(f"/jobs/{new_id()}").status == 404


def test_support_may_look_and_not_retry(sam: PageClient, app: Portal) -> None:
    queue(Toy.NOTE)
    assert sam.get("/jobs").status == 200
