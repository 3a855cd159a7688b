"""Attacks on the pages of staff: without the permission, by a member of a tenant, without the token."""

from __future__ import annotations

import pytest

from app.core.permissions import Permission
from app.core.tenancy.scopes import TenantRoute
from app.staff.models import StaffUser
from app.web.hosts import Portal
from tests.factories import (
    ADMIN_HOST,
    browser,
    host_of,
    make_bob,
    make_staff_user,
    rows_of,
    sign_in,
    sign_in_as_ada,
    sign_in_as_bob,
)
from tests.guarded import list_requests, send, steal_session
from tests.page import PageClient

SAM = "sam@platform.example"


@pytest.fixture
def ada(app: Portal) -> PageClient:
    make_staff_user()
    return sign_in_as_ada(app)


def test_support_cannot_manage_staff(app: Portal, ada: PageClient) -> None:
    sam = make_staff_user(SAM, role="support")
    sams = sign_in(app, ADMIN_HOST, SAM)
    sams.get("/staff")
    requests = list(list_requests(app, "staff_admin", permission=Permission.STAFF_MANAGE, about=sam))
    assert len(requests) == 7
    assert {send(sams, method, path, role="admin").status_code for method, path in requests} == {403}
    assert {row.email: row.role for row in rows_of(StaffUser)}[SAM] == "support"


def test_nobody_signed_out_gets_past_the_sign_in_page(app: Portal) -> None:
    visitor = browser(app, ADMIN_HOST)
    visitor.get("/sign-in")
    answers = [send(visitor, method, path) for method, path in list_requests(app, "staff_admin")]
    assert {answer.status_code for answer in answers} == {303}
    assert all(answer.location.startswith("/sign-in") for answer in answers)


def test_a_members_session_opens_nothing_on_the_platforms_host(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    thief = steal_session(app, sign_in_as_bob(app, acme), ADMIN_HOST)
    assert thief.get("/staff").url.endswith("/sign-in?next=%2Fstaff")
    assert thief.get("/account").url.endswith("/sign-in?next=%2Faccount")


def test_a_staff_users_session_opens_nothing_on_a_tenants_host(app: Portal, acme: TenantRoute, ada: PageClient) -> None:
    assert steal_session(app, ada, host_of(acme)).get("/members").url.endswith("/sign-in?next=%2Fmembers")


def test_the_pages_of_staff_exist_on_no_other_host(app: Portal, acme: TenantRoute) -> None:
    for host in (host_of(acme), "localhost"):
        assert browser(app, host).get("/staff").status == 404


def test_an_unknown_staff_user_is_not_found_by_any_method(app: Portal, ada: PageClient) -> None:
    ada.get("/staff")
    requests = [item for item in list_requests(app, "staff_admin") if "-8000-" in item[1]]
    assert len(requests) == 7
    assert {send(ada, method, path, role="admin").status_code for method, path in requests} == {404}


def test_no_form_works_without_its_token(app: Portal, ada: PageClient) -> None:
    sam = make_staff_user(SAM, role="support")
    posts = [path for method, path in list_requests(app, "staff_admin", about=sam) if method == "POST"]
    answers = [send(ada, "POST", path, has_token=False, role="admin") for path in posts]
    assert ({answer.status_code for answer in answers}, len(answers)) == ({400}, 9)
    assert {row.email: row.role for row in rows_of(StaffUser)}[SAM] == "support"
