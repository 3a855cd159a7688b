"""Suspending a tenant: the form, the change, its history and event, and who was first."""

from __future__ import annotations

import threading
import time
from uuid import uuid4

import psycopg
import pytest

from app.core.audit_actions import AuditAction
from app.core.database.session import registry
from app.core.errors import InputError
from app.core.tenancy.registry import Registry
from app.core.tenancy.scopes import platform_scope
from app.tenants import services
from app.tenants.models import TenantStatusChange
from tests.factories import ADA, SETUP, rows_of, sign_in_as_ada
from tests.tenant_rows import owner_connection
from tests.tenants.registry import count_events, last_event, read_tenant, register, status_of

WAITING = "select count(*) from pg_locks where not granted"


def test_an_admin_suspends_a_tenant_with_a_reason(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/suspension")
    ada.submit(f"/tenants/{tenant_id}/suspension", reason="Two invoices are unpaid.")
    assert "Acme was suspended." in ada.text
    assert "Two invoices are unpaid." in ada.text
    tenant = read_tenant(tenant_id)
    assert (tenant.status, tenant.status_reason) == ("suspended", "Two invoices are unpaid.")


def test_the_form_says_what_will_happen(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/suspension")
    assert "Every page says so and who can help" in ada.text
    assert "Wait until the tenant is reactivated." in ada.text


def test_the_change_is_in_the_history_and_in_the_audit(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/suspension")
    ada.submit(f"/tenants/{tenant_id}/suspension", reason="Unpaid.")
    change = max(rows_of(TenantStatusChange), key=lambda change: change.at)
    assert (change.from_status, change.to_status, change.reason) == ("active", "suspended", "Unpaid.")
    event = last_event(AuditAction.TENANT_SUSPENDED)
    assert (event.tenant_id, event.actor_label, event.reason) == (tenant_id, ADA, "Unpaid.")
    assert event.changes == {"status": ["active", "suspended"]}


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_reason_that_says_nothing_or_too_much_comes_back_with_the_form(ada, reason):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/suspension")
    ada.submit(f"/tenants/{tenant_id}/suspension", reason=reason)
    assert ada.status == 422
    assert ada.field_error("reason")
    assert status_of(tenant_id) == "active"


@pytest.mark.parametrize("reason", ["  ", "x" * 501, "bell \x07"])
def test_the_service_judges_the_reason_too(app, reason):
    tenant_id = register("acme")
    with platform_scope("test"), pytest.raises(InputError):
        services.suspend_tenant(tenant_id, reason=reason, actor=SETUP)


@pytest.mark.parametrize("status", ["suspended", "archived", "provisioning", "deleted"])
def test_a_tenant_that_cannot_be_suspended_answers_409(ada, status):
    tenant_id = register("acme", status=status)
    assert ada.get(f"/tenants/{tenant_id}/suspension").status == 409
    assert "Acme is" in ada.text


def test_a_form_that_comes_too_late_answers_409_and_changes_nothing(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/suspension")
    with platform_scope("test"):
        services.archive_tenant(tenant_id, reason="gone", actor=SETUP)
    ada.submit(f"/tenants/{tenant_id}/suspension", reason="Unpaid.")
    assert ada.status == 409
    assert "Acme is archived" in ada.text
    assert status_of(tenant_id) == "archived"


def test_of_two_admins_at_once_one_wins_and_the_other_is_told(app, ada):
    tenant_id = register("acme")
    admins = [ada, sign_in_as_ada(app)]
    for admin in admins:
        admin.get(f"/tenants/{tenant_id}/suspension")
    with owner_connection() as connection:
        connection.execute("select from control.tenants where id = %s for update", (tenant_id,))
        threads = [threading.Thread(target=suspend, args=(admin, tenant_id)) for admin in admins]
        for thread in threads:
            thread.start()
        wait_for_locks(2)
    for thread in threads:
        thread.join()
    assert sorted(admin.status for admin in admins) == [303, 409]
    assert count_events(AuditAction.TENANT_SUSPENDED) == 1


def suspend(admin, tenant_id):
    """Send the form that this admin has open."""
    admin.submit(f"/tenants/{tenant_id}/suspension", reason="Unpaid.", follow=False)


def wait_for_locks(count: int) -> None:
    """Wait until so many transactions queue for the same row."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with owner_connection() as connection:
            if connection.execute(WAITING).fetchone()[0] >= count:
                return
    raise AssertionError("nobody waits")


def test_another_process_knows_within_a_poll(app, instance):
    tenant_id = register("acme")
    connect = lambda: psycopg.connect(instance.database_platform_url.get_secret_value())  # noqa: E731
    other = Registry(connect=connect, wrapping_key=registry().wrapping_key)
    with connect() as poller:
        other.poll(poller)
        assert other.resolve_host("acme").status == "active"
        with platform_scope("test"):
            services.suspend_tenant(tenant_id, reason="Unpaid.", actor=SETUP)
        assert other.resolve_host("acme").status == "active"
        poller.rollback()
        other.poll(poller)
        assert other.resolve_host("acme").status == "suspended"
    other.close()


def test_support_may_look_and_not_suspend(sam):
    tenant_id = register("acme")
    sam.get(f"/tenants/{tenant_id}")
    assert sam.page.texts(".page-actions a") == []
    assert sam.get(f"/tenants/{tenant_id}/suspension").status == 403


def test_an_unknown_tenant_is_not_found(ada):
    assert ada.get(f"/tenants/{uuid4()}/suspension").status == 404
