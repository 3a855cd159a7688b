"""The database's answer to a COMMIT is lost while somebody saves a form: done once, or said that nobody knows."""

from __future__ import annotations

import pytest

from app.audit.models import ControlAuditEvent
from app.core.audit_actions import AuditAction
from app.core.jobs import PlatformJob
from app.core.tenancy.scopes import platform_scope
from app.plans.services import seed_catalogue
from app.tenants.models import Tenant, TenantTag
from tests.factories import (
    make_bob,
    make_staff_user,
    make_tenant,
    rows_of,
    sign_in_as_ada,
    sign_in_as_bob,
    use_cheap_passwords,
)
from tests.wire import wired_app

FORM = {"name": "Acme", "slug": "acme", "owner_name": "Bob", "owner_email": "bob@acme.example", "plan": "team"}


@pytest.fixture
def wired(app, instance, monkeypatch):
    """An application over a wire, and the wire."""
    use_cheap_passwords(monkeypatch)
    with wired_app(instance) as pair:
        yield pair


@pytest.fixture
def ada(wired):
    make_staff_user()
    with platform_scope("test"):
        seed_catalogue()
    return sign_in_as_ada(wired[0])


def onboardings():
    return [event for event in rows_of(ControlAuditEvent) if event.action == AuditAction.TENANT_CREATED]


def test_a_tenant_whose_onboarding_lost_its_answer_is_there_once(ada, wired):
    ada.get("/tenants/new")
    wired[1].lose_answer()
    ada.submit("/tenants", **FORM)
    assert wired[1].lost is None
    assert ada.status == 200
    assert [tenant.slug for tenant in rows_of(Tenant)] == ["acme"]
    assert len(onboardings()) == 1
    assert "operations.run" in {job.kind for job in rows_of(PlatformJob)}


def test_an_onboarding_that_never_arrived_asks_to_look_first(ada, wired):
    ada.get("/tenants/new")
    wired[1].lose_commit()
    page = ada.submit("/tenants", **FORM)
    assert wired[1].lost is None
    assert page.status == 503
    assert "Please look before you repeat it." in page.text
    assert "Retry-After" not in page.response.headers
    assert rows_of(Tenant) == []


def test_a_tag_whose_answer_was_lost_is_there_once(ada, wired):
    acme = make_tenant()
    ada.get(f"/tenants/{acme.tenant_id}/metadata")
    wired[1].lose_answer()
    ada.submit("#tag-form", tag="vip")
    assert wired[1].lost is None
    assert ada.status == 200
    assert [row.tag for row in rows_of(TenantTag)] == ["vip"]


def test_a_workspaces_change_whose_answer_was_lost_is_shown(wired):
    acme = make_tenant()
    make_bob(acme)
    bob = sign_in_as_bob(wired[0], acme)
    bob.get("/settings")
    wired[1].lose_answer()
    bob.submit("/settings", name="Acme Rockets")
    assert wired[1].lost is None
    assert bob.status == 200
    assert "Acme Rockets" in bob.text
