"""Adding a staff user in the browser."""

from __future__ import annotations

import pytest

from app.staff.models import StaffUser
from app.web.hosts import Portal
from tests.factories import (
    ADA,
    ADMIN_HOST,
    browser,
    deliver_mails,
    link_in,
    make_staff_user,
    rows_of,
    sign_in_as_ada,
)
from tests.guarded import send
from tests.page import PageClient

SAM = "sam@platform.example"


@pytest.fixture
def ada(app: Portal) -> PageClient:
    make_staff_user()
    return sign_in_as_ada(app)


def add_sam(ada: PageClient, **values: str) -> PageClient:
    ada.get("/staff/new")
    ada.submit("Add and send the link", {"name": "Sam Spade", "email": SAM, **values})
    return ada


def test_the_new_staff_user_is_shown_and_gets_the_link_by_mail(app: Portal, ada: PageClient) -> None:
    page = add_sam(ada).page
    assert f"Sam Spade is added; the one-time link to {SAM} is on its way." in page.text
    assert page.texts("h1") == ["Sam Spade"]
    [link] = [link_in(mail) for mail in deliver_mails() if mail["To"] == SAM]
    path = link.removeprefix("http://admin.localhost:8000")
    assert "Hello Sam Spade" in browser(app, ADMIN_HOST).get(path).text


def test_the_link_is_on_no_page(ada: PageClient) -> None:
    assert "/sign-in/" not in add_sam(ada).page.response.text


def test_somebody_joins_support_unless_another_role_is_chosen(ada: PageClient) -> None:
    add_sam(ada)
    add_sam(ada, email="zoe@platform.example", role="admin")
    assert {row.email: row.role for row in rows_of(StaffUser)} == {
        ADA: "admin",
        SAM: "support",
        "zoe@platform.example": "admin",
    }


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": ""}, "name", "Fill in this field."),
        ({"email": "sam"}, "email", "Write an e-mail address"),
        ({"email": ADA.upper()}, "email", "already"),
    ],
)
def test_bad_input_comes_back_beside_its_field(ada: PageClient, values: dict[str, str], field: str, words: str) -> None:
    add_sam(ada, **values)
    assert (ada.status, words in ada.field_error(field)) == (422, True)
    assert len(rows_of(StaffUser)) == 1


def test_a_role_that_is_none_is_refused(ada: PageClient) -> None:
    ada.get("/staff/new")
    assert send(ada, "POST", "/staff", name="Sam", email=SAM, role="owner").status_code == 422
    assert len(rows_of(StaffUser)) == 1
