"""Archiving a tenant asks for its slug; unarchiving opens it again."""

from __future__ import annotations

import pytest

from app.core.audit_actions import AuditAction
from app.core.errors import StateError
from app.core.tenancy.scopes import platform_scope
from app.tenants import services
from tests.factories import SETUP
from tests.tenants.registry import count_events, last_event, read_tenant, register, status_of


@pytest.mark.parametrize("status", ["active", "past_due", "suspended"])
def test_an_admin_archives_a_tenant_by_typing_its_slug(ada, status):
    tenant_id = register("acme", status=status)
    ada.get(f"/tenants/{tenant_id}/archival")
    ada.submit(f"/tenants/{tenant_id}/archival", reason="The contract ended.", confirm_name="acme")
    assert "Acme was archived." in ada.text
    assert status_of(tenant_id) == "archived"
    assert last_event(AuditAction.TENANT_ARCHIVED).changes == {"status": [status, "archived"]}


@pytest.mark.parametrize("typed", ["", "Acme", "acmex", "globex"])
def test_another_name_archives_nothing(ada, typed):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/archival")
    ada.submit(f"/tenants/{tenant_id}/archival", reason="The contract ended.", confirm_name=typed)
    assert ada.status == 422
    assert ada.field_error("confirm_name")
    assert status_of(tenant_id) == "active"


def test_an_admin_opens_an_archived_tenant_again(ada):
    tenant_id = register("acme", status="archived")
    ada.get(f"/tenants/{tenant_id}/unarchival")
    ada.submit(f"/tenants/{tenant_id}/unarchival", reason="They came back.")
    assert status_of(tenant_id) == "active"
    assert last_event(AuditAction.TENANT_UNARCHIVED).reason == "They came back."


def test_a_long_reason_for_opening_comes_back_with_the_form(ada):
    tenant_id = register("acme", status="archived")
    ada.get(f"/tenants/{tenant_id}/unarchival")
    ada.submit(f"/tenants/{tenant_id}/unarchival", reason="x" * 501)
    assert ada.status == 422


def test_only_an_archived_tenant_is_unarchived(app):
    tenant_id = register("acme", status="suspended")
    with platform_scope("test"), pytest.raises(StateError, match="only one that is archived can be unarchived"):
        services.unarchive_tenant(tenant_id, actor=SETUP)


def test_the_page_offers_what_the_status_allows(ada):
    offered = {"active": ["Edit", "Suspend", "Archive"], "archived": ["Edit", "Unarchive"], "failed": ["Edit"]}
    for status, expected in offered.items():
        tenant_id = register(f"t-{status}", status=status)
        assert ada.get(f"/tenants/{tenant_id}").texts(".page-actions a") == expected


@pytest.fixture
def archived_while_suspended(app):
    """A tenant that was suspended, then archived."""
    tenant_id = register("acme")
    with platform_scope("test"):
        services.suspend_tenant(tenant_id, reason="Unpaid since May.", actor=SETUP)
        services.archive_tenant(tenant_id, reason="The contract ended.", actor=SETUP)
    return tenant_id


def test_archiving_a_suspended_tenant_says_what_becomes_of_the_suspension(ada):
    tenant_id = register("acme", status="suspended")
    page = ada.get(f"/tenants/{tenant_id}/archival")
    assert "The suspension ends when it is opened again, unless whoever opens it keeps it." in page.text
    assert "set up" in page.text


def test_archiving_an_active_tenant_speaks_of_no_suspension(ada):
    assert "suspen" not in ada.get(f"/tenants/{register('acme')}/archival").text


def test_opening_it_again_shows_who_suspended_it_and_why_and_keeps_it_suspended(ada, archived_while_suspended):
    page = ada.get(f"/tenants/{archived_while_suspended}/unarchival")
    assert "Unpaid since May." in page.text
    assert "Suspended by test" in page.text
    ada.submit(f"/tenants/{archived_while_suspended}/unarchival", reason="They came back.")
    tenant = read_tenant(archived_while_suspended)
    assert (tenant.status, tenant.status_reason) == ("suspended", "Unpaid since May.")
    assert last_event(AuditAction.TENANT_UNARCHIVED).reason == "They came back."
    kept = last_event(AuditAction.TENANT_SUSPENDED)
    assert (kept.changes, kept.reason) == ({"status": ["active", "suspended"]}, "Unpaid since May.")


def test_the_suspension_is_lifted_by_whoever_says_so(ada, archived_while_suspended):
    ada.get(f"/tenants/{archived_while_suspended}/unarchival")
    ada.submit(f"/tenants/{archived_while_suspended}/unarchival", keep_suspended=False)
    assert status_of(archived_while_suspended) == "active"
    assert count_events(AuditAction.TENANT_SUSPENDED) == 1


def test_a_tenant_that_was_past_due_is_so_again(ada):
    tenant_id = register("acme", status="past_due")
    with platform_scope("test"):
        services.archive_tenant(tenant_id, reason="The contract ended.", actor=SETUP)
    assert "It was past due when it was archived, and is so again." in ada.get(f"/tenants/{tenant_id}/unarchival").text
    ada.submit(f"/tenants/{tenant_id}/unarchival", reason="They came back.")
    assert status_of(tenant_id) == "past_due"
    assert last_event(AuditAction.TENANT_UNARCHIVED).changes == {"status": ["archived", "past_due"]}


def test_a_tenant_that_was_active_when_archived_is_not_asked_about(ada):
    tenant_id = register("acme", status="archived")
    page = ada.get(f"/tenants/{tenant_id}/unarchival")
    assert not page.select("[name=keep_suspended]")
    assert "past due" not in page.text
    with platform_scope("test"):
        services.unarchive_tenant(tenant_id, keep_suspended=True, actor=SETUP)
    assert status_of(tenant_id) == "active"


def test_an_earlier_suspension_that_was_lifted_is_not_asked_about(ada):
    tenant_id = register("acme", status="suspended")
    with platform_scope("test"):
        services.reactivate_tenant(tenant_id, actor=SETUP)
        services.archive_tenant(tenant_id, reason="Over.", actor=SETUP)
    assert not ada.get(f"/tenants/{tenant_id}/unarchival").select("[name=keep_suspended]")
