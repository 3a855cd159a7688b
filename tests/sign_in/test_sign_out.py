"""Signing out ends the session's row, so a kept cookie is worth nothing."""

from __future__ import annotations

import pytest

from app.audit.models import ControlAuditEvent, HomeAuditEvent
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.staff import queries, services
from app.staff.links import sign_in_url
from app.web.hosts import Portal
from tests.factories import (
    SETUP,
    actions_of,
    browser,
    host_of,
    make_bob,
    make_staff_user,
    rows_of,
    sign_in_as_ada,
    sign_in_as_bob,
)
from tests.page import PageClient


@pytest.fixture
def bobs(app: Portal, acme: TenantRoute) -> PageClient:
    make_bob(acme)
    return sign_in_as_bob(app, acme)


def sign_out(client: PageClient, page: str) -> None:
    token = client.get(page).select("[name=csrf_token]")[0].get("value")
    client.client.post("/sign-out", base_url=f"http://{client.host}", data={"csrf_token": token})


def test_one_is_back_at_the_sign_in_page(bobs: PageClient) -> None:
    sign_out(bobs, "/forgotten-password")
    page = bobs.get("/sign-in")
    assert (page.status, "You are signed out." in page.text) == (200, True)


def test_a_kept_cookie_is_worth_nothing(app: Portal, bobs: PageClient) -> None:
    name = app.config["SESSION_COOKIE_NAME"]
    kept = bobs.client.get_cookie(name, domain=bobs.host).value
    sign_out(bobs, "/forgotten-password")
    thief = browser(app, bobs.host)
    thief.client.set_cookie(name, kept, domain=bobs.host)
    assert thief.get("/sign-in", follow=False).status == 200


def test_other_browsers_stay_signed_in(app: Portal, bobs: PageClient, acme: TenantRoute) -> None:
    other = sign_in_as_bob(app, acme)
    sign_out(bobs, "/forgotten-password")
    assert other.get("/sign-in", follow=False).status == 303


def test_it_is_audited(bobs: PageClient, acme: TenantRoute) -> None:
    sign_out(bobs, "/forgotten-password")
    assert actions_of(rows_of(HomeAuditEvent, acme))[-1] == "member.signed_out"


def test_who_is_signed_out_is_led_to_the_sign_in_page(app: Portal, acme: TenantRoute) -> None:
    client = browser(app, host_of(acme))
    token = client.get("/sign-in").select("[name=csrf_token]")[0].get("value")
    answer = client.client.post("/sign-out", base_url=f"http://{client.host}", data={"csrf_token": token})
    assert (answer.status_code, answer.location) == (303, "/sign-in")


def test_staff_sign_out_too(app: Portal) -> None:
    make_staff_user()
    client = sign_in_as_ada(app)
    with platform_scope("test"):
        grace = services.create_staff_user(email="grace@platform.example", name="Grace", role="admin", actor=SETUP)
        page_with_a_form = sign_in_url(queries.get_staff_user(grace))
    sign_out(client, page_with_a_form.replace(":8000", ""))
    assert client.get("/sign-in", follow=False).status == 200
    assert actions_of(rows_of(ControlAuditEvent))[-1] == "staff.signed_out"
