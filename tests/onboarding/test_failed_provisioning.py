"""Provisioning that fails: told, tried again or taken back; and requests that nobody confirms."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.actors import Actor
from app.core.database.session import registry
from app.core.errors import InputError
from app.core.job_names import JobName
from app.core.jobs import MAX_ATTEMPTS, get_job_kind
from app.core.tenancy.errors import HomeUnavailableError
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.members.queries import count_members
from app.onboarding import provisioning
from app.onboarding.services import onboard_tenant, request_tenant
from app.operations.queries import find_latest_operation
from app.operations.services import compensate_operation, retry_operation
from app.plans.services import seed_catalogue
from app.tenants.models import Tenant
from app.tenants.services import TenantDraft
from tests.factories import browser, rows_of
from tests.work import make_jobs_due, run_jobs

ADA = Actor.system("test")
DRAFT = TenantDraft("Acme", "acme", "Bob", "bob@acme.example", "team")


@pytest.fixture
def failed(app, monkeypatch):
    """A tenant whose settings could not be written, however often it was tried."""

    def fail(*, actor):
        raise OSError("The disk is full.")

    with platform_scope("test"):
        seed_catalogue()
        tenant_id = onboard_tenant(DRAFT, actor=ADA)
    with monkeypatch.context() as broken:
        broken.setattr(provisioning.settings, "create_default_settings", fail)
        for _ in range(MAX_ATTEMPTS):
            make_jobs_due()
            run_jobs(may_fail=True)
    return tenant_id


def operation_of(tenant_id):
    with platform_scope("test"):
        return find_latest_operation(tenant_id)


def ask(service, tenant_id):
    operation = operation_of(tenant_id)
    with platform_scope("test"):
        service(operation.id, actor=ADA)


def statuses():
    return [(tenant.status, tenant.status_reason) for tenant in rows_of(Tenant)]


def test_a_step_that_fails_says_why_on_the_tenant_and_on_its_host(app, failed):
    ((status, reason),) = statuses()
    assert status == "failed"
    assert "The disk is full." in reason
    visitor = browser(app, "acme.localhost")
    visitor.get("/")
    assert visitor.status == 503
    assert "disk" not in visitor.text


def test_a_failed_provisioning_is_tried_again_and_ends_active(failed):
    ask(retry_operation, failed)
    assert statuses()[0][0] == "provisioning"
    run_jobs(may_fail=True)
    assert statuses()[0][0] == "active"
    with tenant_scope(registry().find_route(failed), reason="test"):
        assert count_members() == {"invited": 1}


def test_a_failed_provisioning_is_taken_back_and_its_home_closed(failed):
    ask(compensate_operation, failed)
    run_jobs(may_fail=True)
    assert statuses()[0][0] == "deleted"
    assert operation_of(failed).state == "compensated"
    with tenant_scope(registry().find_route(failed), reason="test"), pytest.raises(HomeUnavailableError):
        count_members()


def test_the_host_of_a_tenant_that_was_taken_back_is_unknown(app, failed):
    ask(compensate_operation, failed)
    run_jobs(may_fail=True)
    visitor = browser(app, "acme.localhost")
    visitor.get("/")
    assert visitor.status == 404


def test_the_hourly_job_ends_what_nobody_confirmed(app):
    with platform_scope("test"):
        seed_catalogue()
        request_tenant(DRAFT, actor=ADA)
    with clock.shifted(timedelta(hours=25)), platform_scope("test"):
        get_job_kind(JobName.ONBOARDING_EXPIRE_REQUESTS).run({})
    assert statuses() == [("deleted", "never confirmed")]


def test_an_owner_without_a_name_is_refused_before_anything_exists(app):
    with platform_scope("test"):
        seed_catalogue()
        draft = TenantDraft("Acme", "acme", " ", "bob@acme.example", "team")
        with pytest.raises(InputError) as refused:
            onboard_tenant(draft, actor=ADA)
    assert refused.value.field == "owner_name"
    assert rows_of(Tenant) == []
