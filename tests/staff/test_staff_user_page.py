"""One staff user in the browser: another role, a new link, deactivated and back, and the last admin stays."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.audit.models import ControlAuditEvent
from app.staff.models import StaffUser
from app.web.hosts import Portal
from tests.factories import (
    ADA,
    ADMIN_HOST,
    actions_of,
    browser,
    deliver_mails,
    link_in,
    make_staff_user,
    rows_of,
    sign_in,
    sign_in_as_ada,
)
from tests.guarded import send
from tests.page import PageClient

SAM = "sam@platform.example"


@pytest.fixture
def ada_id(app: Portal) -> UUID:
    return make_staff_user()


@pytest.fixture
def ada(app: Portal, ada_id: UUID) -> PageClient:
    return sign_in_as_ada(app)


@pytest.fixture
def sam(app: Portal) -> UUID:
    return make_staff_user(SAM, role="support", name="Sam Spade")


def row_of(staff_user_id: UUID) -> StaffUser:
    return next(row for row in rows_of(StaffUser) if row.id == staff_user_id)


def open_link(app: Portal, link: str) -> int:
    return browser(app, ADMIN_HOST).get(link.removeprefix("http://admin.localhost:8000")).status


def test_the_page_tells_role_sessions_and_history(ada: PageClient, sam: UUID) -> None:
    page = ada.get(f"/staff/{sam}")
    assert page.texts(".key-value")[:2] == ["RoleSupport", "Signed in1 session"]
    assert page.texts(".story-title") == ["Signed in", "Password changed", "Created"]


def test_another_role_holds_from_the_next_click(app: Portal, ada: PageClient, sam: UUID) -> None:
    sams = sign_in(app, ADMIN_HOST, SAM)
    assert sams.get("/staff/new").status == 403
    ada.get(f"/staff/{sam}")
    assert "Sam Spade now has the role Platform admin." in ada.submit("Change role", role="admin").text
    assert sams.get("/staff/new").status == 200


def test_the_same_role_leaves_no_trace(ada: PageClient, sam: UUID) -> None:
    ada.get(f"/staff/{sam}")
    ada.submit("Change role", role="support")
    assert "staff.role_changed" not in actions_of(rows_of(ControlAuditEvent))


def test_a_role_that_is_none_comes_back_beside_its_field(ada: PageClient, sam: UUID) -> None:
    ada.get(f"/staff/{sam}")
    answer = send(ada, "POST", f"/staff/{sam}/role-changes", role="king")
    assert (answer.status_code, 'id="role-error"' in answer.text) == (422, True)
    assert row_of(sam).role == "support"


def test_a_new_link_goes_out_and_voids_the_old_one(app: Portal, ada: PageClient, sam: UUID) -> None:
    ada.get(f"/staff/{sam}")
    ada.submit("Send a sign-in link")
    [*_, old] = [link_in(mail) for mail in deliver_mails() if mail["To"] == SAM]
    assert f"A one-time link is on its way to {SAM}" in ada.submit("Send a sign-in link").text
    [*_, new] = [link_in(mail) for mail in deliver_mails() if mail["To"] == SAM]
    assert [open_link(app, old), open_link(app, new)] == [410, 200]
    assert actions_of(rows_of(ControlAuditEvent))[-2:] == ["staff.sign_in_link_created"] * 2


def test_deactivation_says_what_will_happen(ada: PageClient, sam: UUID) -> None:
    page = ada.get(f"/staff/{sam}/deactivation")
    assert "Sam Spade is signed out at once, in 1 session, and cannot sign in again." in page.text


def test_who_is_deactivated_is_signed_out_at_once(app: Portal, ada: PageClient, sam: UUID) -> None:
    sams = sign_in(app, ADMIN_HOST, SAM)
    ada.get(f"/staff/{sam}")
    page = ada.submit("Deactivate Sam Spade", reason="Left in May.")
    assert "Sam Spade is deactivated and signed out everywhere" in page.text
    assert page.texts(".story-text")[0] == "Left in May."
    assert sams.get("/staff").url.endswith("/sign-in?next=%2Fstaff")


def test_what_was_deactivated_is_undone_on_the_same_page(app: Portal, ada: PageClient, sam: UUID) -> None:
    ada.get(f"/staff/{sam}/deactivation")
    ada.submit("Deactivate Sam Spade")
    assert "Sam Spade can sign in again." in ada.submit("Reactivate Sam Spade").text
    assert sign_in(app, ADMIN_HOST, SAM).get("/staff").status == 200


def test_a_reason_that_is_too_long_comes_back_with_the_question(ada: PageClient, sam: UUID) -> None:
    ada.get(f"/staff/{sam}/deactivation")
    ada.submit("Deactivate Sam Spade", reason="x" * 501)
    assert (ada.status, ada.field_error("reason")) == (422, "Use at most 500 characters.")
    assert row_of(sam).state == "active"


def test_who_is_deactivated_gets_no_link(ada: PageClient, sam: UUID) -> None:
    ada.get(f"/staff/{sam}")
    assert "Send a sign-in link" not in ada.submit("Deactivate Sam Spade").text
    assert send(ada, "POST", f"/staff/{sam}/sign-in-links").status_code == 409
    assert "Sam Spade is deactivated already." in ada.get(f"/staff/{sam}/deactivation").text


@pytest.mark.parametrize(("act", "values"), [("role-changes", {"role": "support"}), ("deactivation", {})])
def test_the_last_admin_stays(ada: PageClient, ada_id: UUID, act: str, values: dict[str, str]) -> None:
    page = ada.get(f"/staff/{ada_id}")
    assert "This is the last active admin." in page.text
    assert not page.select(f"[action=/staff/{ada_id}/{act}]")
    answer = send(ada, "POST", f"/staff/{ada_id}/{act}", **values)
    assert (answer.status_code, "This is the last active admin" in answer.text) == (409, True)
    assert (row_of(ada_id).role, row_of(ada_id).state) == ("admin", "active")


def test_an_admin_steps_down_once_there_is_another(ada: PageClient, ada_id: UUID, sam: UUID) -> None:
    ada.get(f"/staff/{sam}")
    ada.submit("Change role", role="admin")
    ada.get(f"/staff/{ada_id}")
    assert "now has the role Support." in ada.submit("Change role", role="support").text
    assert ada.get("/staff/new").status == 403


def test_who_deactivates_themselves_is_out(ada: PageClient, ada_id: UUID) -> None:
    make_staff_user(SAM, name="Sam Spade")
    assert "This is you" in ada.get(f"/staff/{ada_id}/deactivation").text
    assert ada.submit("Deactivate Ada Lovelace").url.endswith(f"/sign-in?next=%2Fstaff%2F{ada_id}")


def test_support_sees_a_colleague_and_no_way_to_change_them(app: Portal, ada_id: UUID, sam: UUID) -> None:
    page = sign_in(app, ADMIN_HOST, SAM).get(f"/staff/{ada_id}")
    assert page.texts("h1") == ["Ada Lovelace"]
    assert ADA in page.text
    assert not page.select("main form")


def test_an_unknown_staff_user_is_not_found(ada: PageClient) -> None:
    assert ada.get("/staff/01890000-0000-7000-8000-000000000000").status == 404
