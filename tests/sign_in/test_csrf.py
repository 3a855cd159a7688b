"""A form without its token, or with another visitor's, changes nothing."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import TenantRoute
from app.members.models import MemberSession, MemberThrottle
from app.web.hosts import Portal
from tests.factories import ADMIN_HOST, BOB, PASSWORD, browser, host_of, invite, make_bob, rows_of, sign_in_as_bob

FORMS = ["/sign-in", "/sign-out", "/forgotten-password", "/invitation/x", "/password-reset/x"]


@pytest.mark.parametrize("path", FORMS)
def test_a_tenants_form_without_its_token_is_refused(app: Portal, acme: TenantRoute, path: str) -> None:
    answer = app.test_client().post(path, base_url=f"http://{host_of(acme)}", data={"email": BOB})
    assert answer.status_code == 400
    assert "This form has expired" in answer.text


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/sign-in/x"])
def test_the_platforms_form_without_its_token_is_refused(app: Portal, path: str) -> None:
    assert app.test_client().post(path, base_url=f"http://{ADMIN_HOST}").status_code == 400


def test_a_refused_sign_in_is_not_even_counted(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    before = len(rows_of(MemberSession, acme))
    app.test_client().post("/sign-in", base_url=f"http://{host_of(acme)}", data={"email": BOB, "password": PASSWORD})
    assert (len(rows_of(MemberSession, acme)), rows_of(MemberThrottle, acme)) == (before, [])


def test_another_visitors_token_is_refused(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    attacker, victim = browser(app, host_of(acme)), browser(app, host_of(acme))
    token = attacker.get("/sign-in").select("[name=csrf_token]")[0].get("value")
    victim.get("/sign-in")
    values = {"email": BOB, "password": PASSWORD, "csrf_token": token}
    assert victim.client.post("/sign-in", base_url=f"http://{host_of(acme)}", data=values).status_code == 400


def test_a_token_from_before_the_sign_in_is_worth_nothing_after(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    client = browser(app, host_of(acme))
    token = client.get("/sign-in").select("[name=csrf_token]")[0].get("value")
    client.submit("/sign-in", email=BOB, password=PASSWORD, follow=False)
    answer = client.client.post("/sign-out", base_url=f"http://{host_of(acme)}", data={"csrf_token": token})
    assert answer.status_code == 400


def test_an_invitation_stays_good_when_its_form_is_refused(app: Portal, acme: TenantRoute) -> None:
    _, token = invite(acme, BOB)
    path = f"/invitation/{token}"
    app.test_client().post(path, base_url=f"http://{host_of(acme)}", data={"password": PASSWORD, "repeated": PASSWORD})
    assert browser(app, host_of(acme)).get(path).status == 200


def test_a_signed_in_viewer_needs_the_token_to_sign_out(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    client = sign_in_as_bob(app, acme)
    assert client.client.post("/sign-out", base_url=f"http://{host_of(acme)}").status_code == 400
    assert client.get("/sign-in", follow=False).status == 303
