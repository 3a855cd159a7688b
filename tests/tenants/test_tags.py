"""Tagging a tenant and taking a tag away."""

from __future__ import annotations

import pytest

from app.core.audit_actions import AuditAction
from app.core.errors import InputError, NotFoundError
from app.core.ids import new_id
from app.core.tenancy.scopes import platform_scope
from app.tenants import queries, services
from app.tenants.services.metadata import MAX_TAGS
from tests.factories import SETUP
from tests.tenants.registry import count_events, last_event, register


def tags_of(tenant_id):
    """Return a tenant's tags."""
    with platform_scope("test"):
        return queries.list_tags(tenant_id)


@pytest.mark.parametrize(
    ("typed", "tag"),
    [("vip", "vip"), ("  Key Account ", "key-account"), ("ÜBER", "über"), ("team:emea/dach", "team:emea/dach")],
)
def test_a_tag_is_kept_in_one_spelling(ada, typed, tag):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#tag-form", tag=typed)
    assert tags_of(tenant_id) == [tag]
    assert last_event(AuditAction.TENANT_TAGGED).changes == {"tag": [None, tag]}


@pytest.mark.parametrize("typed", ["", "   ", "-x", "=cmd", "a,b", "<b>", "x" * 41])
def test_what_is_no_tag_comes_back_beside_the_field(ada, typed):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#tag-form", tag=typed)
    assert ada.status == 422
    assert ada.field_error("tag")
    assert tags_of(tenant_id) == []


def test_the_same_tag_twice_is_one_tag_and_one_event(app):
    tenant_id = register("acme")
    with platform_scope("test"):
        assert services.add_tag(tenant_id, "vip", actor=SETUP)
        assert not services.add_tag(tenant_id, "VIP", actor=SETUP)
    assert count_events(AuditAction.TENANT_TAGGED) == 1


def test_a_removed_tag_comes_back_by_undo(ada):
    tenant_id = register("acme", tags=["vip"])
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit(f"/tenants/{tenant_id}/tag-removals")
    assert "Tag “vip” was removed." in ada.text
    assert last_event(AuditAction.TENANT_UNTAGGED).changes == {"tag": ["vip", None]}
    ada.submit("Undo")
    assert tags_of(tenant_id) == ["vip"]


def test_undo_is_offered_once(ada):
    tenant_id = register("acme", tags=["vip"])
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit(f"/tenants/{tenant_id}/tag-removals")
    ada.get(f"/tenants/{tenant_id}/metadata")
    assert not ada.select("#undo")


def test_removing_what_is_not_there_changes_nothing(app):
    tenant_id = register("acme")
    with platform_scope("test"):
        assert not services.remove_tag(tenant_id, "vip", actor=SETUP)
    assert count_events(AuditAction.TENANT_UNTAGGED) == 0


def test_a_tenant_has_so_many_tags_at_most(app):
    tenant_id = register("acme", tags=[f"tag-{number}" for number in range(MAX_TAGS)])
    with platform_scope("test"), pytest.raises(InputError, match="50 tags"):
        services.add_tag(tenant_id, "one-more", actor=SETUP)


def test_an_unknown_tenant_cannot_be_tagged(app):
    with platform_scope("test"), pytest.raises(NotFoundError):
        services.add_tag(new_id(), "vip", actor=SETUP)


def test_a_form_that_comes_too_late_removes_nothing_and_offers_no_undo(ada):
    tenant_id = register("acme", tags=["vip"])
    ada.get(f"/tenants/{tenant_id}/metadata")
    with platform_scope("test"):
        services.remove_tag(tenant_id, "vip", actor=SETUP)
    ada.submit(f"/tenants/{tenant_id}/tag-removals")
    assert ada.status == 200
    assert not ada.select("#undo")
