"""Archiving a tenant asks for its slug; unarchiving opens it again."""

from __future__ import annotations

import pytest

from app.core.audit_actions import AuditAction
from app.core.errors import StateError
from app.core.tenancy.scopes import platform_scope
from app.tenants import services
from tests.factories import SETUP
from tests.tenants.registry import last_event, register, status_of


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
