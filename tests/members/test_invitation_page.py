"""Inviting somebody in the browser, and sending the invitation again."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import TenantRoute
from app.members.models import Member
from app.web.hosts import Portal
from tests.factories import (
    BOB,
    browser,
    deliver_mails,
    host_of,
    invite,
    link_in,
    make_bob,
    make_member,
    rows_of,
    sign_in,
    sign_in_as_bob,
)
from tests.guarded import send
from tests.page import PageClient

DORA = "dora@acme.example"


@pytest.fixture
def bob(app: Portal, acme: TenantRoute) -> PageClient:
    make_bob(acme)
    return sign_in_as_bob(app, acme)


def invite_dora(bob: PageClient, **values: str) -> PageClient:
    bob.get("/members/new-invitation")
    bob.submit("Send the invitation", {"name": "Dora Doe", "email": DORA, **values})
    return bob


def mails_to(email: str) -> list[str]:
    return [link_in(mail) for mail in deliver_mails() if mail["To"] == email]


def open_link(app: Portal, acme: TenantRoute, link: str) -> int:
    return browser(app, host_of(acme)).get(link.removeprefix("http://acme.localhost:8000")).status


def test_the_list_says_that_the_mail_is_on_its_way(bob: PageClient) -> None:
    page = invite_dora(bob).page
    assert page.url.endswith("/members")
    assert f"Dora Doe is invited; the mail to {DORA} is on its way." in page.text
    assert "Invited" in page.texts("td[data-label=State]")


def test_somebody_becomes_a_member_unless_another_role_is_chosen(bob: PageClient) -> None:
    assert "Member" in invite_dora(bob).page.texts("td[data-label=Role]")
    page = invite_dora(bob, email="eve@acme.example", name="Eve Evans", role="admin").page
    assert page.texts("td[data-label=Role]") == ["Owner", "Member", "Admin"]


def test_the_mail_opens_the_page_that_asks_for_a_password(app: Portal, acme: TenantRoute, bob: PageClient) -> None:
    invite_dora(bob)
    [link] = mails_to(DORA)
    assert open_link(app, acme, link) == 200


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": "  "}, "name", "Fill in this field."),
        ({"name": "x" * 101}, "name", "Use at most 100 characters."),
        ({"email": "dora"}, "email", "Write an e-mail address"),
        ({"email": BOB.upper()}, "email", "a member already"),
    ],
)
def test_bad_input_comes_back_beside_its_field(
    acme: TenantRoute, bob: PageClient, values: dict[str, str], field: str, words: str
) -> None:
    invite_dora(bob, **values)
    assert bob.status == 422
    assert words in bob.field_error(field)
    assert len(rows_of(Member, acme)) == 1


def test_what_was_entered_stays_in_the_form(bob: PageClient) -> None:
    invite_dora(bob, email="dora", role="admin")
    assert bob.select("[name=name]")[0].get("value") == "Dora Doe"
    assert [option.get("value") for option in bob.select("option[selected]")] == ["admin"]


def test_a_role_that_is_none_is_refused(acme: TenantRoute, bob: PageClient) -> None:
    bob.get("/members/new-invitation")
    assert send(bob, "POST", "/members", name="Dora", email=DORA, role="king").status_code == 422
    assert len(rows_of(Member, acme)) == 1


def test_only_an_owner_can_invite_an_owner(app: Portal, acme: TenantRoute) -> None:
    make_member(acme, "alice@acme.example", role="admin", name="Alice Admin")
    alice = sign_in(app, host_of(acme), "alice@acme.example")
    page = alice.get("/members/new-invitation")
    assert [option.get("value") for option in page.select("option")] == ["admin", "member"]
    assert send(alice, "POST", "/members", name="Dora", email=DORA, role="owner").status_code == 422


def test_sent_again_the_new_link_works_and_the_old_one_is_void(app: Portal, acme: TenantRoute, bob: PageClient) -> None:
    dora, old = invite(acme, DORA)
    [old_link] = mails_to(DORA)
    bob.get(f"/members/{dora}")
    assert f"A new invitation is on its way to {DORA}" in bob.submit("Send the invitation again").text
    new_link = mails_to(DORA)[-1]
    assert old_link.endswith(old)
    assert [open_link(app, acme, link) for link in (old_link, new_link)] == [410, 200]


def test_the_list_offers_to_send_it_again(acme: TenantRoute, bob: PageClient) -> None:
    dora, _ = invite(acme, DORA)
    bob.get("/members")
    assert bob.submit(f"/members/{dora}/invitations").url.endswith(f"/members/{dora}")


def test_who_has_accepted_is_not_invited_again(acme: TenantRoute, bob: PageClient) -> None:
    dora = make_member(acme, DORA)
    assert "Send the invitation again" not in bob.get(f"/members/{dora}").text
    answer = send(bob, "POST", f"/members/{dora}/invitations")
    assert answer.status_code == 409
    assert "has not accepted yet" in answer.text
