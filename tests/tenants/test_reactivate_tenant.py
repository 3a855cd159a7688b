"""Reactivating a tenant: from suspended and past due only, and its waiting jobs run at once."""

from __future__ import annotations

import pytest

from app.core.audit_actions import AuditAction
from app.core.errors import StateError
from app.core.tenancy.scopes import platform_scope
from app.tenants import services
from tests.factories import SETUP
from tests.tenant_rows import owner_connection
from tests.tenants.registry import last_event, read_tenant, register, status_of

WAITING_JOB = """
insert into tenancy.outbox (id, tenant_id, kind, queue, payload, run_at, lease_until, created_at)
values (gen_random_uuid(), %s, 'toys.count', 'default', '{}', now(), now() + interval '30 seconds', now())
"""


@pytest.mark.parametrize("status", ["suspended", "past_due"])
def test_an_admin_lets_a_tenant_work_again(ada, status):
    tenant_id = register("acme", status=status)
    ada.get(f"/tenants/{tenant_id}/reactivation")
    ada.submit(f"/tenants/{tenant_id}/reactivation", reason="Paid.")
    assert "Acme was reactivated." in ada.text
    tenant = read_tenant(tenant_id)
    assert (tenant.status, tenant.status_reason) == ("active", "Paid.")
    assert last_event(AuditAction.TENANT_REACTIVATED).reason == "Paid."


def test_no_reason_is_needed(ada):
    tenant_id = register("acme", status="suspended")
    ada.get(f"/tenants/{tenant_id}/reactivation")
    ada.submit(f"/tenants/{tenant_id}/reactivation")
    assert status_of(tenant_id) == "active"


@pytest.mark.parametrize("status", ["active", "archived", "provisioning", "requested", "failed"])
def test_other_statuses_are_not_left_by_this_verb(app, status):
    tenant_id = register("acme", status=status)
    with platform_scope("test"), pytest.raises(StateError, match="only one that is suspended or past due"):
        services.reactivate_tenant(tenant_id, actor=SETUP)
    assert status_of(tenant_id) == status


def test_a_reason_that_is_too_long_comes_back_with_the_form(ada):
    tenant_id = register("acme", status="suspended")
    ada.get(f"/tenants/{tenant_id}/reactivation")
    ada.submit(f"/tenants/{tenant_id}/reactivation", reason="x" * 501)
    assert ada.status == 422
    assert status_of(tenant_id) == "suspended"


@pytest.mark.parametrize("status", ["suspended", "archived"])
def test_jobs_that_waited_for_the_tenant_wait_no_longer(app, status):
    tenant_id = register("acme", status=status)
    with owner_connection() as connection:
        connection.execute(WAITING_JOB, (tenant_id,))
    service = services.reactivate_tenant if status == "suspended" else services.unarchive_tenant
    with platform_scope("test"):
        service(tenant_id, actor=SETUP)
    with owner_connection() as connection:
        assert connection.execute("select lease_until from tenancy.outbox").fetchall() == [(None,)]
