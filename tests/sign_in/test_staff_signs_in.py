"""Staff sign in on the platform's host, by password or by a one-time link."""

from __future__ import annotations

import pytest

from app.audit.models import ControlAuditEvent
from app.core.tenancy.scopes import platform_scope
from app.credentials.link_rows import derive_link_token
from app.staff import queries, services
from app.web.hosts import Portal
from tests.factories import (
    ADA,
    ADMIN_HOST,
    PASSWORD,
    SETUP,
    actions_of,
    browser,
    make_staff_user,
    rows_of,
    sign_in,
    sign_in_as_ada,
)


@pytest.fixture
def path(app: Portal) -> str:
    """The path of Ada's one-time link."""
    with platform_scope("test"):
        user_id = services.create_staff_user(email=ADA, name="Ada Lovelace", role="admin", actor=SETUP)
        return f"/sign-in/{derive_link_token(queries.get_staff_user(user_id))}"


def test_the_right_password_leads_in(app: Portal) -> None:
    make_staff_user()
    assert sign_in_as_ada(app).page.response.location == "/"


def test_refusals_look_the_same(app: Portal) -> None:
    make_staff_user()
    client, texts = browser(app, ADMIN_HOST), set()
    for email, password in ((ADA, "wrong password"), ("nobody@platform.example", PASSWORD)):
        client.get("/sign-in")
        client.submit("/sign-in", email=email, password=password)
        texts.add((client.status, client.text))
    assert len(texts) == 1


def test_an_empty_form_says_what_is_missing(app: Portal) -> None:
    client = browser(app, ADMIN_HOST)
    client.get("/sign-in")
    client.submit("/sign-in", email="", password="")
    assert (client.status, bool(client.field_error("email"))) == (422, True)


def test_failures_are_audited(app: Portal) -> None:
    make_staff_user()
    client = browser(app, ADMIN_HOST)
    client.get("/sign-in")
    client.submit("/sign-in", email=ADA, password="wrong password")
    assert actions_of(rows_of(ControlAuditEvent))[-1] == "staff.sign_in_failed"


def test_the_link_shows_whose_it_is(app: Portal, path: str) -> None:
    page = browser(app, ADMIN_HOST).get(path)
    assert "Hello Ada Lovelace" in page.text
    assert page.select("[autocomplete=username]")[0].get("value") == ADA


def test_opening_the_link_spends_nothing(app: Portal, path: str) -> None:
    scanner = app.test_client()
    for method in ("GET", "HEAD", "GET"):
        assert scanner.open(path, method=method, base_url=f"http://{ADMIN_HOST}").status_code == 200
    assert browser(app, ADMIN_HOST).get(path).status == 200


def test_choosing_a_password_leads_in(app: Portal, path: str) -> None:
    client = browser(app, ADMIN_HOST)
    client.get(path)
    client.submit(path, password=PASSWORD, repeated=PASSWORD, follow=False)
    assert (client.status, client.page.response.location) == (303, "/")
    assert sign_in(app, ADMIN_HOST, ADA)


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        (("short", "short"), "password", "at least 12"),
        ((PASSWORD, "something else entirely"), "repeated", "differ"),
        (("", ""), "password", "Fill in"),
        (("password1234", "password1234"), "password", "easy to guess"),
    ],
)
def test_a_bad_password_comes_back_beside_its_field(
    app: Portal, path: str, typed: tuple[str, str], field: str, words: str
) -> None:
    client = browser(app, ADMIN_HOST)
    client.get(path)
    client.submit(path, password=typed[0], repeated=typed[1])
    assert (client.status, words in str(client.field_error(field))) == (422, True)
    assert client.get(path).status == 200


def test_a_used_link_says_what_to_do(app: Portal, path: str) -> None:
    client = browser(app, ADMIN_HOST)
    client.get(path)
    client.submit(path, password=PASSWORD, repeated=PASSWORD, follow=False)
    page = client.get(path)
    assert (page.status, "This link no longer works" in page.text) == (410, True)
    assert "staff sign-in-link" in page.text


@pytest.mark.parametrize("token", ["x", "x" * 76, "%00", "..%2F..", "%F0%9F%92%A9"])
def test_nonsense_is_answered_like_a_used_link(app: Portal, token: str) -> None:
    assert browser(app, ADMIN_HOST).get(f"/sign-in/{token}").status in (404, 410)


def test_the_links_form_sent_twice_works_once(app: Portal, path: str) -> None:
    one, two = browser(app, ADMIN_HOST), browser(app, ADMIN_HOST)
    for client in (one, two):
        client.get(path)
    answers = [c.submit(path, password=PASSWORD, repeated=PASSWORD, follow=False).status for c in (one, two)]
    assert answers == [303, 410]
