"""A failed job is run again by hand, with an event that says who asked."""

from __future__ import annotations

import pytest

from app.audit.models import ControlAuditEvent
from app.core.actors import Actor
from app.core.errors import NotFoundError, StateError
from app.core.ids import new_id
from app.core.job_names import JobName
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.jobs.services import retry_job
from app.web.hosts import Portal
from tests.factories import rows_of
from tests.jobs.rows import job_row
from tests.jobs.toys import Toy, queue, ran
from tests.page import PageClient
from tests.tenant_rows import owner_connection
from tests.work import make_jobs_due, run_jobs

ADA = Actor.system("Ada")


@pytest.fixture(params=["platform", "tenant"])
def route(request: pytest.FixtureRequest, app: Portal) -> TenantRoute | None:
    return request.getfixturevalue("acme") if request.param == "tenant" else None


def fail_for_good(route: TenantRoute | None) -> object:
    job_id = queue(Toy.FAIL, route)
    for _attempt in range(3):
        run_jobs(may_fail=True)
        make_jobs_due()
    assert job_row(job_id).state == "failed"
    return job_id


def test_a_failed_job_is_retried_from_the_list_and_has_all_its_attempts_again(
    ada: PageClient, route: TenantRoute | None
) -> None:
    job_id = fail_for_good(route)
    ada.get("/jobs?state=failed")
    ada.submit(f"/jobs/{job_id}/retries")
    assert "The job will run again." in ada.text
    run_jobs(may_fail=True)
    assert (job_row(job_id).state, job_row(job_id).attempt) == ("pending", 1)


def test_a_retry_is_an_event_of_the_job_and_its_tenant(ada: PageClient, route: TenantRoute | None) -> None:
    job_id = fail_for_good(route)
    ada.get(f"/jobs/{job_id}")
    ada.submit("Retry")
    (event,) = [event for event in rows_of(ControlAuditEvent) if event.action == "job.retried"]
    assert (event.target_id, event.target_label, event.actor_label) == (job_id, "toy.fail", "ada@platform.example")
    assert event.tenant_id == (route.tenant_id if route else None)


def test_only_a_failed_job_is_retried(route: TenantRoute | None) -> None:
    job_id = queue(Toy.NOTE, route)
    with platform_scope("test"), pytest.raises(StateError, match="has failed"):
        retry_job(job_id, actor=ADA)
    run_jobs()
    with platform_scope("test"), pytest.raises(StateError):
        retry_job(job_id, actor=ADA)
    assert len(ran()) == 1


def test_an_unknown_job_is_not_retried(app: Portal) -> None:
    with platform_scope("test"), pytest.raises(NotFoundError):
        retry_job(new_id(), actor=ADA)


def test_a_job_that_runs_an_operation_is_retried_through_it(app: Portal, ada: PageClient) -> None:
    operation_id = new_id()
    job_id = queue(JobName.OPERATIONS_RUN, payload={"operation_id": str(operation_id)})
    with owner_connection() as connection:
        connection.execute("update control.outbox set state = 'failed' where id = %s", (job_id,))
    with platform_scope("test"), pytest.raises(StateError, match="retry the operation"):
        retry_job(job_id, actor=ADA)
    hrefs = [link.get("href") for link in ada.get("/jobs").select(".row-actions a")]
    assert hrefs == [f"/operations/{operation_id}"]


def test_support_sees_no_button_and_is_refused(sam: PageClient, acme: TenantRoute) -> None:
    job_id = fail_for_good(acme)
    sam.get(f"/jobs/{job_id}")
    assert sam.page.texts("main form") == []
    token = sam.select("[name=csrf_token]")[0].get("value")
    answer = sam.client.post(f"/jobs/{job_id}/retries", data={"csrf_token": token}, base_url="http://admin.localhost")
    assert (answer.status_code, job_row(job_id).state) == (403, "failed")
