"""Editing what a tenant is called and whom to contact."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core.audit_actions import AuditAction
from app.core.tenancy.scopes import platform_scope
from app.tenants import services
from app.tenants.services import TenantBasics
from tests.factories import SETUP
from tests.tenants.registry import count_events, last_event, read_tenant, register


def test_an_admin_renames_a_tenant_and_finds_it_by_the_new_name(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/edit")
    ada.submit(f"/tenants/{tenant_id}/edit", name="Acme Stores", owner_email="Eve@Acme.example")
    assert "Acme Stores was saved." in ada.text
    assert ada.get("/tenants?q=acme st").texts("td[data-label=Address]") == ["acme"]
    assert ada.get("/tenants?q=eve@acme.example").texts("td[data-label=Address]") == ["acme"]


def test_the_event_holds_old_and_new_of_what_changed_and_nothing_else(ada):
    tenant_id = register("acme", name="Acme")
    ada.get(f"/tenants/{tenant_id}/edit")
    ada.submit(f"/tenants/{tenant_id}/edit", name="Acme Stores", owner_name="Eve")
    changes = {"name": ["Acme", "Acme Stores"], "owner_name": ["Bob", "Eve"]}
    assert last_event(AuditAction.TENANT_UPDATED).changes == changes


def test_a_form_that_changes_nothing_is_no_event(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/edit")
    ada.submit(f"/tenants/{tenant_id}/edit")
    assert count_events(AuditAction.TENANT_UPDATED) == 0


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "x" * 101}, {"owner_name": ""}, {"owner_email": "bob"}])
def test_what_is_not_acceptable_comes_back_beside_its_field(ada, wrong):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/edit")
    ada.submit(f"/tenants/{tenant_id}/edit", wrong)
    assert ada.status == 422
    assert ada.field_error(next(iter(wrong)))
    assert read_tenant(tenant_id).name == "Acme"


def test_a_change_made_meanwhile_is_said_and_what_was_typed_stays(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/edit")
    with platform_scope("test"):
        services.update_tenant(tenant_id, TenantBasics("Apex", "Bob", "bob@example.com"), actor=SETUP)
    ada.submit(f"/tenants/{tenant_id}/edit", name="Acme Stores")
    assert ada.status == 409
    assert "Somebody else changed this tenant" in ada.text
    assert ada.select("[name=name]")[0].get("value") == "Acme Stores"
    assert read_tenant(tenant_id).name == "Apex"


def test_saving_again_overwrites_that_change(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/edit")
    with platform_scope("test"):
        services.update_tenant(tenant_id, TenantBasics("Apex", "Bob", "bob@example.com"), actor=SETUP)
    ada.submit(f"/tenants/{tenant_id}/edit", name="Acme Stores")
    ada.submit(f"/tenants/{tenant_id}/edit")
    assert read_tenant(tenant_id).name == "Acme Stores"


def test_a_version_that_cannot_be_read_compares_nothing(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/edit")
    ada.submit(f"/tenants/{tenant_id}/edit", name="Acme Stores", seen="yesterday")
    assert read_tenant(tenant_id).name == "Acme Stores"


def test_support_may_not_edit_and_an_unknown_tenant_is_not_found(sam, ada):
    tenant_id = register("acme")
    assert sam.get(f"/tenants/{tenant_id}/edit").status == 403
    assert ada.get(f"/tenants/{uuid4()}/edit").status == 404
