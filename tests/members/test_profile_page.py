"""One's own account in the browser: name, password, and where one is signed in."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import TenantRoute
from app.members.models import MemberSession
from app.web.hosts import Portal
from tests.factories import (
    BOB,
    NEW_PASSWORD,
    PASSWORD,
    host_of,
    make_bob,
    make_member,
    rows_of,
    sign_in,
    sign_in_as_bob,
)
from tests.guarded import send
from tests.page import PageClient


@pytest.fixture
def bob(app: Portal, acme: TenantRoute) -> PageClient:
    """Bob's browser; another session of his was opened when he accepted the invitation."""
    make_bob(acme)
    return sign_in_as_bob(app, acme)


def change_password(bob: PageClient, **values: str) -> PageClient:
    bob.get("/profile/password")
    given = {"old_password": PASSWORD, "password": NEW_PASSWORD, "repeated": NEW_PASSWORD, **values}
    bob.submit("Change password", given)
    return bob


def test_the_sidebar_leads_to_the_profile(bob: PageClient) -> None:
    assert bob.get("/members").select(".viewer a")[0].get("href") == "/profile"
    assert bob.get("/profile").texts(".key-value") == [f"E-mail{BOB}", "RoleOwner"]


def test_a_new_name_shows_at_once(bob: PageClient) -> None:
    bob.get("/profile")
    page = bob.submit("Save profile", name=" Robert   Builder ")
    assert "Your profile is saved." in page.text
    assert page.texts(".viewer-name") == ["Robert Builder"]


@pytest.mark.parametrize("name", ["", "x" * 101])
def test_no_name_is_refused_beside_the_field(bob: PageClient, name: str) -> None:
    bob.get("/profile")
    bob.submit("Save profile", name=name)
    assert bob.status == 422
    assert bob.field_error("name")


def test_a_changed_password_signs_out_every_other_session(app: Portal, acme: TenantRoute, bob: PageClient) -> None:
    phone = sign_in_as_bob(app, acme)
    assert "every other session of yours is signed out" in change_password(bob).text
    assert phone.get("/profile").url.endswith("/sign-in?next=%2Fprofile")
    assert bob.get("/profile").status == 200
    assert sign_in(app, host_of(acme), BOB, NEW_PASSWORD).get("/profile").status == 200


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"old_password": "wrong"}, "old_password", "The present password is wrong."),
        ({"repeated": "another one entirely"}, "repeated", "The two passwords differ."),
        ({"password": "short", "repeated": "short"}, "password", "Use at least 12 characters"),
        ({"password": "bob builder acme", "repeated": "bob builder acme"}, "password", "Do not build the password"),
    ],
)
def test_a_password_is_refused_beside_its_field(
    bob: PageClient, values: dict[str, str], field: str, words: str
) -> None:
    change_password(bob, **values)
    assert bob.status == 422
    assert words in bob.field_error(field)
    assert not any(item.get("value") for item in bob.select("input[type=password]"))


def test_guessing_the_present_password_is_throttled(bob: PageClient) -> None:
    statuses = [change_password(bob, old_password="wrong").status for _ in range(7)]
    assert (statuses[0], statuses[-1]) == (422, 429)
    assert int(bob.page.response.headers["Retry-After"]) > 0


def test_sessions_are_listed_in_plain_words_with_this_one_first(bob: PageClient) -> None:
    page = bob.get("/profile/sessions")
    assert page.texts("tbody th") == ["Unknown browser This session", "Firefox"]
    assert page.texts("td[data-label=Address]")[0] == "The server’s own machine (127.0.0.1)"
    assert len(page.select("tbody button")) == 1


def test_another_session_is_signed_out(app: Portal, acme: TenantRoute, bob: PageClient) -> None:
    phone = sign_in_as_bob(app, acme)
    page = bob.get("/profile/sessions")
    newest = max(rows_of(MemberSession, acme), key=lambda row: row.created_at).id
    assert "That session is signed out." in bob.submit(f"/profile/sessions/{newest}/revocation").text
    assert len(bob.select("tbody th")) == len(page.select("tbody th")) - 1
    assert phone.get("/profile").url.endswith("/sign-in?next=%2Fprofile")


def test_all_others_are_signed_out_at_once(app: Portal, acme: TenantRoute, bob: PageClient) -> None:
    phone = sign_in_as_bob(app, acme)
    bob.get("/profile/sessions")
    assert bob.submit("Sign out the others").texts("tbody th") == ["Unknown browser This session"]
    assert "Sign out the others" not in bob.text
    assert phone.get("/profile").url.endswith("/sign-in?next=%2Fprofile")


def test_a_colleagues_session_does_not_exist(app: Portal, acme: TenantRoute, bob: PageClient) -> None:
    dora = make_member(acme, "dora@acme.example")
    theirs = next(row for row in rows_of(MemberSession, acme) if row.member_id == dora)
    bob.get("/profile/sessions")
    assert send(bob, "POST", f"/profile/sessions/{theirs.id}/revocation").status_code == 404
    assert next(row for row in rows_of(MemberSession, acme) if row.id == theirs.id).revoked_at is None


def test_whoever_is_signed_in_has_a_profile(app: Portal, acme: TenantRoute) -> None:
    make_member(acme, "dora@acme.example")
    doras = sign_in(app, host_of(acme), "dora@acme.example")
    for path in ("/profile", "/profile/password", "/profile/sessions"):
        assert doras.get(path).status == 200
