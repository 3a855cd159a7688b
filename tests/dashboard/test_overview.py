"""The first page of each portal."""

from __future__ import annotations

from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.operations.kinds import OperationKind, register_operation
from app.operations.runner import fail_operation
from app.operations.services import start_operation
from app.settings.services import update_workspace
from tests.factories import (
    SETUP,
    host_of,
    make_member,
    make_staff_user,
    make_tenant,
    sign_in,
    sign_in_as_ada,
    sign_in_as_bob,
    use_cheap_passwords,
)


def items(visitor):
    return {"".join(item.itertext()).split("  ")[0].strip(): item for item in visitor.select(".checklist-item")}


def done(visitor):
    return len(visitor.select(".checklist-done"))


def test_a_new_owner_meets_a_checklist_that_knows_they_are_in(app, acme):
    bob = sign_in_as_bob(app, acme)
    bob.get("/")
    assert (len(bob.select(".checklist-item")), done(bob)) == (4, 1)


def test_the_checklist_sees_each_step_being_done_and_then_goes(app, acme):
    bob = sign_in_as_bob(app, acme)
    bob.get("/settings")
    bob.submit("/settings", welcome_message="Hello")
    bob.get("/")
    assert done(bob) == 2
    make_member(acme, "dora@acme.example")
    bob.get("/")
    assert bob.select(".checklist-item") == []
    assert "Hello" in bob.text


def test_a_change_by_the_platform_is_no_step_of_the_owners(app, acme):
    with tenant_scope(acme, reason="test"):
        update_workspace({"welcome_message": "Hi"}, actor=SETUP)
    bob = sign_in_as_bob(app, acme)
    bob.get("/")
    assert done(bob) == 1


def test_a_plain_member_sees_no_checklist(app, acme):
    make_member(acme, "dora@acme.example")
    dora = sign_in(app, host_of(acme), "dora@acme.example")
    dora.get("/")
    assert dora.status == 200
    assert dora.select(".checklist-item") == []


def test_the_platforms_first_page_counts_tenants_by_status(app, acme):
    make_tenant("hooli", status="suspended")
    make_staff_user()
    ada = sign_in_as_ada(app)
    ada.get("/")
    assert list(map(str.strip, ada.page.texts(".stat-value"))) == ["2", "1", "1", "0"]


def test_the_platforms_first_page_tells_how_to_begin(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    make_staff_user()
    ada = sign_in_as_ada(app)
    ada.get("/")
    assert "No tenants yet" in ada.text


def test_an_operation_that_failed_is_named_until_somebody_looks(app, acme):
    register_operation(OperationKind("test.nothing", "Do nothing", ()))
    with platform_scope("test"):
        operation_id = start_operation("test.nothing", tenant_id=acme.tenant_id, payload={}, actor=SETUP)
        fail_operation(operation_id, "The disk is full.")
    make_staff_user()
    ada = sign_in_as_ada(app)
    ada.get("/")
    assert "The disk is full." in ada.text
