"""Attacks on the pages of members: without the permission, from another tenant, without the token."""

from __future__ import annotations

import pytest

from app.core.permissions import Permission
from app.core.tenancy.scopes import TenantRoute
from app.members.models import Member
from app.web.hosts import Portal
from tests.factories import CAROL, browser, host_of, make_bob, make_carol, make_member, rows_of, sign_in, sign_in_as_bob
from tests.guarded import list_requests, send, steal_session
from tests.page import PageClient


@pytest.fixture
def bob(app: Portal, acme: TenantRoute) -> PageClient:
    make_bob(acme)
    return sign_in_as_bob(app, acme)


def test_a_member_without_the_permission_is_refused_everywhere(app: Portal, acme: TenantRoute) -> None:
    dora = make_member(acme, "dora@acme.example")
    doras = sign_in(app, host_of(acme), "dora@acme.example")
    doras.get("/members")
    requests = list(list_requests(app, "members_tenant", permission=Permission.WORKSPACE_MEMBER_MANAGE, about=dora))
    assert len(requests) == 8
    assert {send(doras, method, path, role="owner").status_code for method, path in requests} == {403}


def test_nobody_signed_out_gets_past_the_sign_in_page(app: Portal, acme: TenantRoute) -> None:
    visitor = browser(app, host_of(acme))
    visitor.get("/sign-in")
    answers = [send(visitor, method, path) for method, path in list_requests(app, "members_tenant")]
    assert {answer.status_code for answer in answers} == {303}
    assert all(answer.location.startswith("/sign-in") for answer in answers)


def test_another_tenants_member_does_not_exist_for_any_method(
    app: Portal, globex: TenantRoute, bob: PageClient
) -> None:
    carol = make_carol(globex)
    before = [(row.state, row.role_id, row.link_serial) for row in rows_of(Member, globex)]
    bob.get("/members")
    requests = [item for item in list_requests(app, "members_tenant", about=carol) if str(carol) in item[1]]
    assert len(requests) == 7
    assert {send(bob, method, path, role="member").status_code for method, path in requests} == {404}
    assert [(row.state, row.role_id, row.link_serial) for row in rows_of(Member, globex)] == before


def test_another_tenants_member_is_as_unknown_as_nobody(globex: TenantRoute, bob: PageClient) -> None:
    carol = make_carol(globex)
    theirs = bob.get(f"/members/{carol}").texts("main p")[0]
    assert theirs == bob.get("/members/01890000-0000-7000-8000-000000000000").texts("main p")[0]


def test_another_tenants_session_opens_nothing(app: Portal, acme: TenantRoute, globex: TenantRoute) -> None:
    make_carol(globex)
    thief = steal_session(app, sign_in(app, host_of(globex), CAROL), host_of(acme))
    assert thief.get("/members").url.endswith("/sign-in?next=%2Fmembers")
    assert thief.get("/members.csv").url.endswith("/sign-in?next=%2Fmembers.csv")
    assert thief.get("/profile").url.endswith("/sign-in?next=%2Fprofile")


def test_another_tenants_address_can_be_invited_here_as_well(
    acme: TenantRoute, globex: TenantRoute, bob: PageClient
) -> None:
    make_carol(globex)
    bob.get("/members/new-invitation")
    assert bob.submit("Send the invitation", name="Carol", email=CAROL).status == 200
    assert CAROL in [row.email for row in rows_of(Member, acme)]


def test_no_form_works_without_its_token(app: Portal, acme: TenantRoute, bob: PageClient) -> None:
    dora = make_member(acme, "dora@acme.example")
    posts = [path for method, path in list_requests(app, "members_tenant", about=dora) if method == "POST"]
    answers = [send(bob, "POST", path, has_token=False, role="admin", name="Mal") for path in posts]
    assert ({answer.status_code for answer in answers}, len(answers)) == ({400}, 9)
    assert [row.role.key for row in rows_of(Member, acme) if row.id == dora] == ["member"]


def test_a_state_is_never_changed_by_a_link(app: Portal, acme: TenantRoute, bob: PageClient) -> None:
    dora = make_member(acme, "dora@acme.example")
    bob.get("/members")
    for act in ("role-changes", "reactivation", "invitations"):
        assert send(bob, "GET", f"/members/{dora}/{act}").status_code == 405
