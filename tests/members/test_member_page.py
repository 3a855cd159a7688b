"""One member in the browser: another role, deactivated and back, and what nobody may do to whom."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.audit.models import HomeAuditEvent
from app.core.tenancy.scopes import TenantRoute
from app.members.models import Member
from app.web.hosts import Portal
from tests.factories import (
    actions_of,
    browser,
    deliver_mails,
    host_of,
    invite,
    make_bob,
    make_member,
    rows_of,
    sign_in,
    sign_in_as_bob,
)
from tests.guarded import send
from tests.page import PageClient

DORA, ALICE = "dora@acme.example", "alice@acme.example"


@pytest.fixture
def bob_id(acme: TenantRoute) -> UUID:
    return make_bob(acme)


@pytest.fixture
def bob(app: Portal, acme: TenantRoute, bob_id: UUID) -> PageClient:
    return sign_in_as_bob(app, acme)


@pytest.fixture
def dora(acme: TenantRoute) -> UUID:
    return make_member(acme, DORA)


@pytest.fixture
def alice(app: Portal, acme: TenantRoute) -> PageClient:
    """The browser of Alice, an admin."""
    make_member(acme, ALICE, role="admin", name="Alice Admin")
    return sign_in(app, host_of(acme), ALICE)


def state_of(acme: TenantRoute, member_id: UUID) -> tuple[str, str]:
    return next((row.state, row.role.key) for row in rows_of(Member, acme) if row.id == member_id)


def test_the_page_tells_role_sessions_and_history(bob: PageClient, dora: UUID) -> None:
    page = bob.get(f"/members/{dora}")
    assert (page.texts("h1"), page.texts(".page-name-row .pill")) == (["Dora Doe"], ["Active"])
    assert page.texts(".key-value")[:2] == ["RoleMember", "Signed in1 session"]
    assert page.texts(".story-title") == ["Signed in", "Activated", "Invited"]


def test_another_role_holds_from_the_next_click(app: Portal, acme: TenantRoute, bob: PageClient, dora: UUID) -> None:
    doras = sign_in(app, host_of(acme), DORA)
    assert doras.get("/members/new-invitation").status == 403
    bob.get(f"/members/{dora}")
    assert "Dora Doe now has the role Admin." in bob.submit("Change role", role="admin").text
    assert doras.get("/members/new-invitation").status == 200


def test_a_role_that_is_none_comes_back_beside_its_field(bob: PageClient, acme: TenantRoute, dora: UUID) -> None:
    bob.get(f"/members/{dora}")
    answer = send(bob, "POST", f"/members/{dora}/role-changes", role="king")
    assert answer.status_code == 422
    assert 'id="role-error"' in answer.text
    assert state_of(acme, dora) == ("active", "member")


def test_deactivation_says_what_will_happen_and_asks_for_a_reason(bob: PageClient, dora: UUID) -> None:
    page = bob.get(f"/members/{dora}/deactivation")
    assert "Dora Doe is signed out at once, in 1 session, and cannot sign in again." in page.text
    assert page.select("textarea[name=reason]")[0].get("required") is None


def test_who_is_deactivated_is_signed_out_at_once(app: Portal, acme: TenantRoute, bob: PageClient, dora: UUID) -> None:
    doras = sign_in(app, host_of(acme), DORA)
    bob.get(f"/members/{dora}")
    page = bob.submit("Deactivate Dora Doe", reason="Left in May.")
    assert "Dora Doe is deactivated and signed out everywhere" in page.text
    assert page.texts(".story-text")[0] == "State: active → deactivated. Left in May."
    assert doras.get("/members").url.endswith("/sign-in?next=%2Fmembers")


def test_what_was_deactivated_is_undone_on_the_same_page(
    app: Portal, acme: TenantRoute, bob: PageClient, dora: UUID
) -> None:
    bob.get(f"/members/{dora}/deactivation")
    bob.submit("Deactivate Dora Doe")
    page = bob.submit("Reactivate Dora Doe")
    assert "Dora Doe can sign in again, with the old password." in page.text
    assert sign_in(app, host_of(acme), DORA).get("/").status == 200


def test_who_had_not_accepted_is_invited_again(acme: TenantRoute, bob: PageClient) -> None:
    eve, _ = invite(acme, "eve@acme.example", name="Eve Evans")
    bob.get(f"/members/{eve}/deactivation")
    bob.submit("Deactivate Eve Evans")
    assert "Eve Evans is invited again" in bob.submit("Reactivate Eve Evans").text
    assert [mail["To"] for mail in deliver_mails()] == ["eve@acme.example"]


def test_a_reason_that_is_too_long_comes_back_with_the_question(bob: PageClient, acme: TenantRoute, dora: UUID) -> None:
    bob.get(f"/members/{dora}/deactivation")
    bob.submit("Deactivate Dora Doe", reason="x" * 501)
    assert (bob.status, bob.field_error("reason")) == (422, "Use at most 500 characters.")
    assert state_of(acme, dora) == ("active", "member")


def test_what_is_done_already_is_told(bob: PageClient, dora: UUID) -> None:
    bob.get(f"/members/{dora}")
    assert send(bob, "POST", f"/members/{dora}/reactivation").status_code == 409
    bob.submit("Deactivate Dora Doe")
    assert "This member is deactivated already." in send(bob, "POST", f"/members/{dora}/deactivation").text
    assert "Dora Doe is deactivated already." in bob.get(f"/members/{dora}/deactivation").text


@pytest.mark.parametrize(("act", "values"), [("role-changes", {"role": "member"}), ("deactivation", {})])
def test_the_last_owner_stays(acme: TenantRoute, bob: PageClient, bob_id: UUID, act: str, values: dict) -> None:
    page = bob.get(f"/members/{bob_id}")
    assert "This is the last active owner." in page.text
    assert not page.select(f"[action=/members/{bob_id}/{act}]")
    answer = send(bob, "POST", f"/members/{bob_id}/{act}", **values)
    assert (answer.status_code, "This is the last active owner" in answer.text) == (409, True)
    assert state_of(acme, bob_id) == ("active", "owner")


def test_an_owner_steps_down_once_there_is_another(
    acme: TenantRoute, bob: PageClient, bob_id: UUID, dora: UUID
) -> None:
    bob.get(f"/members/{dora}")
    bob.submit("Change role", role="owner")
    bob.get(f"/members/{bob_id}")
    assert bob.submit("Change role", role="member").url.endswith("/members")
    assert bob.get(f"/members/{bob_id}").status == 403


def test_who_deactivates_themselves_is_out(acme: TenantRoute, bob: PageClient, bob_id: UUID) -> None:
    make_member(acme, ALICE, role="owner", name="Alice Owner")
    assert "This is you" in bob.get(f"/members/{bob_id}/deactivation").text
    assert bob.submit("Deactivate Bob Builder").url.endswith("/sign-in?next=%2Fmembers")


@pytest.mark.parametrize("act", ["deactivation", "reactivation", "role-changes", "invitations"])
def test_an_admin_cannot_touch_an_owner(acme: TenantRoute, bob_id: UUID, alice: PageClient, act: str) -> None:
    page = alice.get(f"/members/{bob_id}")
    assert "Only an owner can change an owner’s role or end their membership." in page.text
    assert not page.select(".page-main form")
    answer = send(alice, "POST", f"/members/{bob_id}/{act}", role="member")
    assert (answer.status_code, "Only an owner can give or take the owner’s role." in answer.text) == (403, True)
    assert state_of(acme, bob_id) == ("active", "owner")


def test_an_admin_cannot_make_owners(acme: TenantRoute, alice: PageClient, dora: UUID) -> None:
    page = alice.get(f"/members/{dora}")
    assert [option.get("value") for option in page.select("option")] == ["admin", "member"]
    assert send(alice, "POST", f"/members/{dora}/role-changes", role="owner").status_code == 403
    assert state_of(acme, dora) == ("active", "member")


def test_each_act_is_one_event_with_its_actor(acme: TenantRoute, bob: PageClient, dora: UUID) -> None:
    bob.get(f"/members/{dora}")
    bob.submit("Change role", role="admin")
    bob.submit("Deactivate Dora Doe")
    bob.submit("Reactivate Dora Doe")
    acts = ["member.role_changed", "member.deactivated", "member.reactivated"]
    events = [event for event in rows_of(HomeAuditEvent, acme) if event.action in acts]
    assert actions_of(events) == acts
    assert {(event.actor_label, event.address) for event in events} == {("bob@acme.example", "127.0.0.1")}


def test_nobody_signed_out_sees_a_member(app: Portal, acme: TenantRoute, dora: UUID) -> None:
    assert browser(app, host_of(acme)).get(f"/members/{dora}").url.endswith(f"/sign-in?next=%2Fmembers%2F{dora}")
