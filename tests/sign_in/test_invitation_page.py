"""An invitation's page asks for a password, spends the link when that is sent, and tells nothing to a wrong link."""

from __future__ import annotations

from datetime import timedelta

import pytest
from werkzeug.exceptions import Unauthorized

from app.core import clock
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.credentials.link_rows import derive_link_token
from app.members import queries, services
from app.sign_in.visits import enter
from app.web.hosts import Portal
from tests.factories import (
    ADMIN_HOST,
    BOB,
    PASSWORD,
    SETUP,
    browser,
    host_of,
    invite,
    make_bob,
    make_carol,
    sign_in,
    sign_in_as_bob,
)
from tests.page import PageClient


@pytest.fixture
def path(acme: TenantRoute) -> str:
    """The path of Bob's invitation to Acme."""
    return f"/invitation/{invite(acme, BOB, role='owner', name='Bob Builder')[1]}"


def accept(client: PageClient, path: str) -> int:
    client.get(path)
    return client.submit(path, password=PASSWORD, repeated=PASSWORD, follow=False).status


def test_it_greets_whom_it_is_for(app: Portal, acme: TenantRoute, path: str) -> None:
    page = browser(app, host_of(acme)).get(path)
    assert (page.status, "Hello Bob Builder" in page.text) == (200, True)
    assert page.select("[autocomplete=username]")[0].get("value") == BOB
    assert len(page.select("[autocomplete=new-password]")) == 2


def test_a_mail_scanner_spends_nothing(app: Portal, acme: TenantRoute, path: str) -> None:
    for method in ("GET", "HEAD", "GET"):
        assert app.test_client().open(path, method=method, base_url=f"http://{host_of(acme)}").status_code == 200
    assert accept(browser(app, host_of(acme)), path) == 303


def test_choosing_a_password_signs_in(app: Portal, acme: TenantRoute, path: str) -> None:
    client = browser(app, host_of(acme))
    assert accept(client, path) == 303
    assert client.get("/sign-in", follow=False).status == 303
    assert sign_in(app, host_of(acme), BOB)


def test_a_used_one_says_what_to_do(app: Portal, acme: TenantRoute, path: str) -> None:
    client = browser(app, host_of(acme))
    accept(client, path)
    page = client.get(path)
    assert (page.status, "This link no longer works" in page.text) == (410, True)
    assert page.select("[href=/forgotten-password]")


def test_an_expired_one_looks_like_a_used_one(app: Portal, acme: TenantRoute, path: str) -> None:
    client = browser(app, host_of(acme))
    with clock.shifted(timedelta(days=7)):
        expired = client.get(path).text
    accept(client, path)
    assert client.get(path).text == expired


def test_a_replaced_one_is_void(app: Portal, acme: TenantRoute, path: str) -> None:
    with tenant_scope(acme, reason="test"):
        member = queries.find_member_by_email(BOB)
        services.resend_invitation(member.id, actor=SETUP)
        newer = f"/invitation/{derive_link_token(queries.get_member(member.id))}"
    client = browser(app, host_of(acme))
    assert (client.get(path).status, client.get(newer).status) == (410, 200)


def test_acmes_invitation_is_none_at_globex(app: Portal, path: str, globex: TenantRoute) -> None:
    make_carol(globex)
    client = browser(app, host_of(globex))
    page = client.get(path)
    assert (page.status, "Bob" in page.text) == (410, False)


def test_posting_acmes_invitation_to_globex_changes_nothing(
    app: Portal, acme: TenantRoute, path: str, globex: TenantRoute
) -> None:
    client = browser(app, host_of(globex))
    token = client.get("/sign-in").select("[name=csrf_token]")[0].get("value")
    values = {"password": PASSWORD, "repeated": PASSWORD, "csrf_token": token}
    assert client.client.post(path, base_url=f"http://{host_of(globex)}", data=values).status_code == 410
    assert browser(app, host_of(acme)).get(path).status == 200


def test_an_invitation_is_no_sign_in_link_of_the_platform(app: Portal, path: str) -> None:
    token = path.rpartition("/")[2]
    assert browser(app, ADMIN_HOST).get(f"/sign-in/{token}").status == 410


def test_an_invitation_is_no_password_reset(app: Portal, acme: TenantRoute, path: str) -> None:
    token = path.rpartition("/")[2]
    assert browser(app, host_of(acme)).get(f"/password-reset/{token}").status == 410


@pytest.mark.parametrize("place", [0, 20, 75])
def test_a_tampered_one_is_void(app: Portal, acme: TenantRoute, path: str, place: int) -> None:
    token = path.rpartition("/")[2]
    other = "A" if token[place] != "A" else "B"
    assert browser(app, host_of(acme)).get(f"/invitation/{token[:place]}{other}{token[place + 1 :]}").status == 410


def test_somebody_elses_browser_changes_over(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    _, token = invite(acme, "dora@acme.example")
    client = sign_in_as_bob(app, acme)
    accept(client, f"/invitation/{token}")
    with client.client.session_transaction(base_url=f"http://{host_of(acme)}") as session:
        assert session["_user_id"]
    with tenant_scope(acme, reason="test"):
        dora = queries.find_member_by_email("dora@acme.example")
        assert dora.is_active


def test_two_forms_at_once_spend_it_once(app: Portal, acme: TenantRoute, path: str) -> None:
    one, two = browser(app, host_of(acme)), browser(app, host_of(acme))
    for client in (one, two):
        client.get(path)
    answers = [c.submit(path, password=PASSWORD, repeated=PASSWORD, follow=False).status for c in (one, two)]
    assert answers == [303, 410]


def test_a_bad_password_comes_back_beside_its_field_and_spends_nothing(
    app: Portal, acme: TenantRoute, path: str
) -> None:
    client = browser(app, host_of(acme))
    for typed, field in ((("builder builder", "builder builder"), "password"), ((PASSWORD, "other"), "repeated")):
        client.get(path)
        client.submit(path, password=typed[0], repeated=typed[1])
        assert (client.status, bool(client.field_error(field))) == (422, True)
    assert accept(client, path) == 303


def test_a_session_that_ends_in_the_moment_it_is_opened_leads_back_to_the_start(app: Portal) -> None:
    with app.test_request_context("/sign-in", base_url=f"http://{ADMIN_HOST}"), pytest.raises(Unauthorized):
        enter(None)
