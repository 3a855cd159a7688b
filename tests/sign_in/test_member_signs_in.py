"""A member signs in on the tenant's own host; every refusal has the same words."""

from __future__ import annotations

import pytest

from app.audit.models import HomeAuditEvent
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.members import services
from app.members.models import Member, MemberSession
from app.web.hosts import Portal
from tests.factories import (
    BOB,
    CAROL,
    PASSWORD,
    SETUP,
    actions_of,
    browser,
    host_of,
    invite,
    make_bob,
    make_carol,
    make_member,
    rows_of,
    sign_in,
    visit_to,
)
from tests.page import Page

WRONG = "The e-mail address or the password is wrong."


def try_to_sign_in(app: Portal, route: TenantRoute, email: str, password: str = PASSWORD) -> Page:
    client = browser(app, host_of(route))
    client.get("/sign-in")
    return client.submit("/sign-in", email=email, password=password, follow=False)


def test_the_right_password_leads_to_the_start_page(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    assert sign_in(app, host_of(acme), BOB).page.response.location == "/"


@pytest.mark.parametrize("email", ["BOB@ACME.example", "  bob@acme.example "])
def test_the_spelling_of_the_address_does_not_matter(app: Portal, acme: TenantRoute, email: str) -> None:
    make_bob(acme)
    assert try_to_sign_in(app, acme, email).status == 303


@pytest.mark.parametrize(("email", "password"), [(BOB, "not the password"), ("nobody@acme.example", PASSWORD)])
def test_a_wrong_password_and_an_unknown_address_look_the_same(
    app: Portal, acme: TenantRoute, email: str, password: str
) -> None:
    make_bob(acme)
    page = try_to_sign_in(app, acme, email, password)
    assert (page.status, WRONG in page.text) == (422, True)
    assert page.select("[name=password]")[0].get("value", "") == ""


def test_who_has_not_accepted_yet_cannot_sign_in(app: Portal, acme: TenantRoute) -> None:
    invite(acme, BOB, role="owner")
    assert WRONG in try_to_sign_in(app, acme, BOB).text


def test_who_is_deactivated_cannot_sign_in(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    dora = make_member(acme, "dora@acme.example")
    with tenant_scope(acme, reason="test"):
        services.deactivate_member(dora, actor=SETUP)
    assert WRONG in try_to_sign_in(app, acme, "dora@acme.example").text


def test_an_account_of_one_tenant_is_none_at_another(app: Portal, acme: TenantRoute, globex: TenantRoute) -> None:
    make_bob(acme)
    make_carol(globex)
    assert WRONG in try_to_sign_in(app, acme, CAROL).text


def test_the_same_address_at_two_tenants_is_two_accounts(app: Portal, acme: TenantRoute, globex: TenantRoute) -> None:
    make_bob(acme)
    _, token = invite(globex, BOB)
    with tenant_scope(globex, reason="test"):
        services.accept_invitation(token, password="violet anchor thimble meadow", visit=visit_to(host_of(globex)))
    assert try_to_sign_in(app, globex, BOB, PASSWORD).status == 422
    assert try_to_sign_in(app, globex, BOB, "violet anchor thimble meadow").status == 303
    assert try_to_sign_in(app, acme, BOB, PASSWORD).status == 303


def test_the_session_knows_from_where_it_was_opened(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    sign_in(app, host_of(acme), BOB)
    newest = max(rows_of(MemberSession, acme), key=lambda session: session.created_at)
    assert (newest.host, newest.address) == ("acme.localhost", "127.0.0.1")
    [bob] = rows_of(Member, acme)
    assert bob.last_signed_in_at == newest.created_at


def test_success_and_failure_are_audited_without_what_was_typed(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    try_to_sign_in(app, acme, BOB, "hunter2 hunter2")
    try_to_sign_in(app, acme, "my-secret@acme.example")
    try_to_sign_in(app, acme, BOB)
    events = sorted(rows_of(HomeAuditEvent, acme), key=lambda event: (event.at, event.id))[-3:]
    assert actions_of(events) == ["member.sign_in_failed", "member.sign_in_failed", "member.signed_in"]
    assert [event.target_label for event in events] == [BOB, "unknown address", BOB]
    assert [event.actor_label for event in events] == ["visitor", "visitor", BOB]


def test_an_empty_form_says_what_is_missing(app: Portal, acme: TenantRoute) -> None:
    client = browser(app, host_of(acme))
    client.get("/sign-in")
    client.submit("/sign-in", email="", password="")
    assert client.status == 422
    assert client.field_error("email")
    assert client.field_error("password")


def test_whoever_is_signed_in_already_goes_on(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    client = sign_in(app, host_of(acme), BOB)
    page = client.get("/sign-in?next=/profile", follow=False)
    assert (page.status, page.response.location) == (303, "/profile")
