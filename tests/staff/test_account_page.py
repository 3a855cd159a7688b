"""A staff user's own account in the browser: password, and where they are signed in."""

from __future__ import annotations

import pytest

from app.audit.models import ControlAuditEvent
from app.staff import services
from app.staff.models import StaffSession, StaffUser
from app.web.hosts import Portal
from tests.factories import (
    ADA,
    ADMIN_HOST,
    NEW_PASSWORD,
    PASSWORD,
    SETUP,
    actions_of,
    make_staff_user,
    rows_of,
    sign_in,
    sign_in_as_ada,
)
from tests.guarded import send
from tests.page import PageClient


@pytest.fixture
def ada(app: Portal) -> PageClient:
    """Ada's browser; another session of hers was opened by the one-time link."""
    make_staff_user()
    return sign_in_as_ada(app)


def change_password(ada: PageClient, **values: str) -> PageClient:
    ada.get("/account/password")
    given = {"old_password": PASSWORD, "password": NEW_PASSWORD, "repeated": NEW_PASSWORD, **values}
    ada.submit("Change password", given)
    return ada


def test_the_sidebar_leads_to_the_account(ada: PageClient) -> None:
    assert ada.get("/staff").select(".viewer a")[0].get("href") == "/account"
    page = ada.get("/account")
    assert page.texts(".key-value")[:2] == [f"E-mail{ADA}", "RolePlatform admin"]
    assert page.texts("tbody th") == ["Unknown browser This session", "Firefox"]


def test_a_staff_user_changes_their_own_name(ada: PageClient) -> None:
    ada.get("/account")
    page = ada.submit("/account", name="Ada King")
    assert page.texts(".viewer-name") == ["Ada King"]
    event = max(rows_of(ControlAuditEvent), key=lambda event: (event.at, event.id))
    assert (event.action, event.changes) == ("staff.profile_updated", {"name": ["Ada Lovelace", "Ada King"]})


def test_the_same_name_leaves_no_trace_and_no_name_comes_back(ada: PageClient) -> None:
    ada.get("/account")
    ada.submit("/account", name="Ada Lovelace")
    assert "staff.profile_updated" not in actions_of(rows_of(ControlAuditEvent))
    ada.submit("/account", name=" ")
    assert (ada.status, bool(ada.field_error("name"))) == (422, True)


def test_a_changed_password_signs_out_every_other_session(app: Portal, ada: PageClient) -> None:
    phone = sign_in_as_ada(app)
    page = change_password(ada).page
    assert "every other session of yours is signed out" in page.text
    assert page.texts("tbody th") == ["Unknown browser This session"]
    assert phone.get("/account").url.endswith("/sign-in?next=%2Faccount")
    assert sign_in(app, ADMIN_HOST, ADA, NEW_PASSWORD).get("/account").status == 200


def test_a_changed_password_is_audited_and_voids_links(ada: PageClient) -> None:
    [before] = rows_of(StaffUser)
    change_password(ada)
    [after] = rows_of(StaffUser)
    assert after.link_serial > before.link_serial
    assert actions_of(rows_of(ControlAuditEvent))[-1] == "staff.password_changed"


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"old_password": "wrong"}, "old_password", "The present password is wrong."),
        ({"repeated": "another one entirely"}, "repeated", "The two passwords differ."),
        ({"password": "short", "repeated": "short"}, "password", "Use at least 12 characters"),
        ({"password": "ada lovelace 1", "repeated": "ada lovelace 1"}, "password", "Do not build the password"),
    ],
)
def test_a_password_is_refused_beside_its_field(
    ada: PageClient, values: dict[str, str], field: str, words: str
) -> None:
    change_password(ada, **values)
    assert (ada.status, words in ada.field_error(field)) == (422, True)


def test_guessing_the_present_password_is_throttled(ada: PageClient) -> None:
    statuses = [change_password(ada, old_password="wrong").status for _ in range(7)]
    assert (statuses[0], statuses[-1]) == (422, 429)


def test_a_password_that_changed_meanwhile_is_no_proof(ada: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def change_elsewhere(*_args: object) -> bool:
        services.deactivate_staff_user(rows[0].id, actor=SETUP)
        return True

    rows = rows_of(StaffUser)
    make_staff_user("zoe@platform.example", name="Zoe")
    monkeypatch.setattr("app.staff.services.own_account.verify_password", change_elsewhere)
    ada.get("/account/password")
    answer = send(ada, "POST", "/account/password", old_password=PASSWORD, password=NEW_PASSWORD, repeated=NEW_PASSWORD)
    assert (answer.status_code, "The present password is wrong." in answer.text) == (422, True)


def test_another_session_is_signed_out(app: Portal, ada: PageClient) -> None:
    phone = sign_in_as_ada(app)
    ada.get("/account")
    newest = max(rows_of(StaffSession), key=lambda row: row.created_at).id
    assert "That session is signed out." in ada.submit(f"/account/sessions/{newest}/revocation").text
    assert phone.get("/account").url.endswith("/sign-in?next=%2Faccount")


def test_all_others_are_signed_out_at_once(app: Portal, ada: PageClient) -> None:
    phone = sign_in_as_ada(app)
    ada.get("/account")
    page = ada.submit("Sign out the others")
    assert page.texts("tbody th") == ["Unknown browser This session"]
    assert phone.get("/account").url.endswith("/sign-in?next=%2Faccount")
    assert actions_of(rows_of(ControlAuditEvent))[-1] == "staff.session_revoked"


def test_a_colleagues_session_does_not_exist(app: Portal, ada: PageClient) -> None:
    sam = make_staff_user("sam@platform.example", role="support", name="Sam Spade")
    theirs = next(row for row in rows_of(StaffSession) if row.staff_user_id == sam)
    ada.get("/account")
    assert send(ada, "POST", f"/account/sessions/{theirs.id}/revocation").status_code == 404
    assert next(row for row in rows_of(StaffSession) if row.id == theirs.id).revoked_at is None


def test_others_keep_their_sessions_when_one_ends_all_of_theirs(app: Portal, ada: PageClient) -> None:
    make_staff_user("sam@platform.example", role="support", name="Sam Spade")
    sams = sign_in(app, ADMIN_HOST, "sam@platform.example")
    ada.get("/account")
    ada.submit("Sign out the others")
    assert sams.get("/account").url.endswith("/account")
