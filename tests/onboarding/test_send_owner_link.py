"""A platform admin invites a tenant's owner again: by mail, through an operation, once a click."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from app.audit.models import ControlAuditEvent, HomeAuditEvent
from app.core.errors import StateError
from app.core.ids import new_id
from app.core.tenancy.scopes import platform_scope
from app.members.models import Member
from app.onboarding.services import send_owner_link
from app.operations.models import Operation
from app.plans.services import seed_catalogue
from app.tenants import services as tenants
from app.tenants.models import Tenant
from tests.factories import (
    ADA,
    BOB,
    PASSWORD,
    SETUP,
    actions_of,
    browser,
    deliver_mails,
    host_of,
    invite,
    link_in,
    make_bob,
    make_staff_user,
    make_tenant,
    rows_of,
    sign_in,
    sign_in_as_ada,
    use_cheap_passwords,
)
from tests.page_rules import text_of
from tests.work import make_jobs_due, run_jobs


@pytest.fixture
def ada(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    for mail in app.extensions["tenantry_settings"].mail_dir.glob("*.eml"):
        mail.unlink()
    make_staff_user()
    with platform_scope("test"):
        seed_catalogue()
    return sign_in_as_ada(app)


@pytest.fixture
def acme(ada):
    return make_tenant("acme")


def link_on(page):
    """Return the links on a tenant's page that lead to the form."""
    return [link for link in page.select("main a") if link.get("href").endswith("/owner-links")]


def send_again(ada, acme):
    """Follow the button on the tenant's page and send the form."""
    ada.get(f"/tenants/{acme.tenant_id}")
    ada.get(link_on(ada.page)[0].get("href"))
    ada.submit(f"/tenants/{acme.tenant_id}/owner-links")


def owner_mails():
    return [mail for mail in deliver_mails() if mail["To"] == BOB]


def operations():
    return [row for row in rows_of(Operation) if row.kind == "onboarding.mail_owner_link"]


def test_an_owner_who_has_not_come_gets_the_invitation_again(app, ada, acme):
    _, first = invite(acme, BOB, role="owner")
    send_again(ada, acme)
    assert "A new link is on its way to the owner" in ada.text
    link = link_in(owner_mails()[-1])
    assert "/invitation/" in link
    bob = browser(app, host_of(acme))
    assert (bob.get(f"/invitation/{first}").status, bob.get(urlsplit(link).path).status) == (410, 200)
    bob.submit(urlsplit(link).path, password=PASSWORD, repeated=PASSWORD)
    assert bob.status == 200


def test_an_owner_who_has_come_gets_a_link_to_a_new_password(ada, acme):
    make_bob(acme)
    send_again(ada, acme)
    assert "/password-reset/" in link_in(owner_mails()[-1])


def test_the_tenants_page_shows_how_the_sending_goes(ada, acme):
    make_bob(acme)
    send_again(ada, acme)
    assert ada.select("#operation_progress[hx-trigger]")
    run_jobs()
    ada.get(f"/tenants/{acme.tenant_id}")
    assert "Mail the owner a link" in ada.text
    assert [row.state for row in operations()] == ["done"]


def test_two_clicks_send_one_mail(ada, acme):
    make_bob(acme)
    ada.get(f"/tenants/{acme.tenant_id}/owner-links")
    url = f"/tenants/{acme.tenant_id}/owner-links"
    form = {field.get("name"): field.get("value") for field in ada.select(f"form[action={url}] input")}
    for _ in range(2):
        assert ada.client.post(url, data=form, base_url="http://admin.localhost").status_code == 303
        run_jobs()
    assert (len(operations()), len(owner_mails())) == (1, 1)


def test_a_link_can_be_sent_again_later(ada, acme):
    make_bob(acme)
    for _ in range(2):
        send_again(ada, acme)
        run_jobs()
    assert len(operations()) == 2


def test_both_trails_name_who_asked(ada, acme):
    invite(acme, BOB, role="owner")
    send_again(ada, acme)
    run_jobs()
    started = [event for event in rows_of(ControlAuditEvent) if event.action == "operation.started"]
    (mailed,) = [event for event in rows_of(HomeAuditEvent, acme) if event.action == "member.reinvited"]
    assert [(event.actor_label, event.tenant_id) for event in started] == [(ADA, acme.tenant_id)]
    assert (mailed.actor_kind, mailed.actor_label, mailed.actor_id) == ("staff", ADA, started[0].actor_id)


def test_a_command_may_ask_as_well(ada, acme):
    make_bob(acme)
    with platform_scope("test"):
        send_owner_link(acme.tenant_id, seen=None, actor=SETUP)
    run_jobs()
    assert "member.password_reset_requested" in actions_of(rows_of(HomeAuditEvent, acme))


@pytest.mark.parametrize(
    ("status", "words"),
    [("suspended", "is suspended, so a link"), ("archived", "is archived, so a link"), ("provisioning", "not set up")],
)
def test_a_tenant_that_nobody_can_enter_says_why_not(ada, status, words):
    closed = make_tenant("globex", status=status)
    page = ada.get(f"/tenants/{closed.tenant_id}")
    assert not link_on(page)
    assert f"while {rows_of(Tenant)[0].name} is {status}" in page.text
    ada.get(f"/tenants/{closed.tenant_id}/owner-links")
    assert (ada.status, words in ada.text) == (409, True)
    with platform_scope("test"), pytest.raises(StateError, match=words):
        send_owner_link(closed.tenant_id, seen=None, actor=SETUP)


def test_a_tenant_that_is_suspended_while_the_form_is_open_gets_no_link(ada, acme):
    make_bob(acme)
    ada.get(f"/tenants/{acme.tenant_id}/owner-links")
    with platform_scope("test"):
        tenants.suspend_tenant(acme.tenant_id, reason="Unpaid.", actor=SETUP)
    ada.submit(f"/tenants/{acme.tenant_id}/owner-links")
    assert ada.status == 409
    assert operations() == []


def test_a_tenant_without_an_owner_fails_with_words(ada, acme):
    send_again(ada, acme)
    for _ in range(5):
        make_jobs_due()
        run_jobs(may_fail=True)
    assert "This tenant has no owner yet." in ada.get(f"/tenants/{acme.tenant_id}").text
    assert rows_of(Member, acme) == []


def test_the_page_knows_whether_the_owner_has_accepted(ada, acme):
    invite(acme, BOB, role="owner")
    publish()
    assert text_of(link_on(ada.get(f"/tenants/{acme.tenant_id}"))[0]) == "Resend the invitation"
    globex = make_tenant("globex")
    make_bob(globex)
    publish()
    page = ada.get(f"/tenants/{globex.tenant_id}")
    assert text_of(link_on(page)[0]) == "Send a sign-in link"
    assert "Owner has accepted" not in page.texts(".stat-label")


def test_support_cannot_send_it(app, ada, acme):
    make_staff_user("sam@platform.example", role="support", name="Sam")
    sam = sign_in(app, "admin.localhost", "sam@platform.example")
    assert not link_on(sam.get(f"/tenants/{acme.tenant_id}"))
    assert sam.get(f"/tenants/{acme.tenant_id}/owner-links").status == 403


def test_an_unknown_tenant_is_not_found(ada):
    assert ada.get(f"/tenants/{new_id()}/owner-links").status == 404


def publish():
    make_jobs_due()
    run_jobs()
