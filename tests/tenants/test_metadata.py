"""Keys with values: set, changed, taken away, brought back."""

from __future__ import annotations

import pytest

from app.core.audit_actions import AuditAction
from app.core.errors import InputError
from app.core.tenancy.scopes import platform_scope
from app.tenants import queries, services
from app.tenants.services.metadata import MAX_METADATA
from tests.factories import SETUP
from tests.tenants.registry import count_events, last_event, register


def metadata_of(tenant_id):
    """Return a tenant's keys with their values."""
    with platform_scope("test"):
        return {row.key: row.value for row in queries.list_metadata(tenant_id)}


def test_a_key_gets_a_value(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#metadatum-form", key="CRM id", value="=HYPERLINK(1)")
    assert metadata_of(tenant_id) == {"crm-id": "=HYPERLINK(1)"}
    assert last_event(AuditAction.TENANT_METADATA_UPDATED).changes == {"crm-id": [None, "=HYPERLINK(1)"]}


def test_a_changed_value_can_be_undone(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#metadatum-form", key="crm-id", value="1")
    ada.submit("#metadatum-form", key="crm-id", value="2")
    assert last_event(AuditAction.TENANT_METADATA_UPDATED).changes == {"crm-id": ["1", "2"]}
    ada.submit("Undo")
    assert metadata_of(tenant_id) == {"crm-id": "1"}


def test_a_removed_key_comes_back_by_undo(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#metadatum-form", key="crm-id", value="ü" * 500)
    ada.submit(f"/tenants/{tenant_id}/metadata-removals")
    assert metadata_of(tenant_id) == {}
    ada.submit("Undo")
    assert metadata_of(tenant_id) == {"crm-id": "ü" * 500}


@pytest.mark.parametrize(("field", "typed"), [("key", ""), ("key", "a b=c"), ("value", ""), ("value", "x" * 501)])
def test_what_is_not_acceptable_comes_back_beside_its_field(ada, field, typed):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#metadatum-form", {"key": "crm-id", "value": "1", field: typed})
    assert ada.status == 422
    assert ada.field_error(field)
    assert metadata_of(tenant_id) == {}


@pytest.mark.parametrize("key", ["action", "tenant", "actor", "changes"])
def test_any_word_is_a_key(app, key):
    tenant_id = register("acme")
    with platform_scope("test"):
        services.set_metadatum(tenant_id, key, "1", actor=SETUP)
    assert metadata_of(tenant_id) == {key: "1"}


def test_the_same_value_again_is_no_event(app):
    tenant_id = register("acme")
    with platform_scope("test"):
        assert services.set_metadatum(tenant_id, "crm-id", "1", actor=SETUP) is None
        assert services.set_metadatum(tenant_id, "crm-id", "1", actor=SETUP) == "1"
    assert count_events(AuditAction.TENANT_METADATA_UPDATED) == 1


def test_removing_what_is_not_there_changes_nothing(app):
    tenant_id = register("acme")
    with platform_scope("test"):
        assert services.remove_metadatum(tenant_id, "crm-id", actor=SETUP) is None
    assert count_events(AuditAction.TENANT_METADATA_UPDATED) == 0


def test_a_tenant_has_so_many_keys_at_most(app):
    tenant_id = register("acme")
    with platform_scope("test"):
        for number in range(MAX_METADATA):
            services.set_metadatum(tenant_id, f"key-{number}", "1", actor=SETUP)
        with pytest.raises(InputError, match="100 keys"):
            services.set_metadatum(tenant_id, "one-more", "1", actor=SETUP)
        services.set_metadatum(tenant_id, "key-1", "2", actor=SETUP)


def test_a_form_that_comes_too_late_removes_nothing_and_offers_no_undo(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#metadatum-form", key="crm-id", value="1")
    with platform_scope("test"):
        services.remove_metadatum(tenant_id, "crm-id", actor=SETUP)
    ada.submit(f"/tenants/{tenant_id}/metadata-removals")
    assert ada.status == 200
    assert not ada.select("#undo")
