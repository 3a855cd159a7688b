"""Who forgot the password gets a link by mail; who asks for an address that is not here learns nothing."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from app.core import clock
from app.core.jobs import TenantJob
from app.core.tenancy.scopes import TenantRoute
from app.web.hosts import Portal
from tests.factories import (
    BOB,
    CAROL,
    NEW_PASSWORD,
    browser,
    deliver_mails,
    host_of,
    invite,
    link_in,
    make_bob,
    make_carol,
    rows_of,
    sign_in,
    sign_in_as_bob,
)
from tests.page import Page, PageClient


@pytest.fixture
def visitor(app: Portal, acme: TenantRoute) -> PageClient:
    """A browser at Acme; Bob exists."""
    make_bob(acme)
    return browser(app, host_of(acme))


def ask(client: PageClient, email: str = BOB) -> Page:
    client.get("/forgotten-password")
    return client.submit("/forgotten-password", email=email)


def reset_path(subject: str = "new password") -> str:
    [mail] = [mail for mail in deliver_mails() if subject in mail["Subject"]]
    return urlsplit(link_in(mail)).path


def choose(client: PageClient, path: str) -> int:
    client.get(path)
    return client.submit(path, password=NEW_PASSWORD, repeated=NEW_PASSWORD, follow=False).status


def test_the_link_in_the_mail_leads_to_a_new_password(app: Portal, acme: TenantRoute, visitor: PageClient) -> None:
    ask(visitor)
    assert choose(visitor, reset_path()) == 303
    assert sign_in(app, host_of(acme), BOB, NEW_PASSWORD)


def test_known_and_unknown_addresses_get_the_same_page(visitor: PageClient) -> None:
    pages = [ask(visitor, email) for email in (BOB, "nobody@acme.example")]
    assert pages[0].text == pages[1].text
    assert pages[0].status == pages[1].status == 200


def test_an_unknown_address_gets_no_mail(visitor: PageClient) -> None:
    ask(visitor, "nobody@acme.example")
    assert [mail["To"] for mail in deliver_mails() if "new password" in mail["Subject"]] == []


def test_an_unknown_address_takes_the_same_work(visitor: PageClient, acme: TenantRoute) -> None:
    jobs = []
    for email in (BOB, "nobody@acme.example"):
        before = len(rows_of(TenantJob, acme))
        ask(visitor, email)
        jobs.append(len(rows_of(TenantJob, acme)) - before)
    assert jobs == [1, 1]


def test_a_member_of_another_tenant_is_unknown(visitor: PageClient, globex: TenantRoute) -> None:
    make_carol(globex)
    ask(visitor, CAROL)
    assert not [mail for mail in deliver_mails() if "new password" in mail["Subject"]]


def test_who_was_invited_gets_the_invitation_again(app: Portal, acme: TenantRoute, visitor: PageClient) -> None:
    invite(acme, "dora@acme.example")
    ask(visitor, "dora@acme.example")
    mails = [mail for mail in deliver_mails() if mail["To"] == "dora@acme.example"]
    assert [mail["Subject"] for mail in mails] == ["You are invited to Acme"]
    assert choose(visitor, urlsplit(link_in(mails[0])).path) == 303


def test_it_signs_out_every_other_browser(app: Portal, acme: TenantRoute, visitor: PageClient) -> None:
    thief = sign_in_as_bob(app, acme)
    ask(visitor)
    choose(visitor, reset_path())
    assert thief.get("/sign-in", follow=False).status == 200
    assert visitor.get("/sign-in", follow=False).status == 303


def test_the_link_works_once_and_for_an_hour(visitor: PageClient) -> None:
    ask(visitor)
    path = reset_path()
    with clock.shifted(timedelta(hours=1)):
        assert visitor.get(path).status == 410
    assert choose(visitor, path) == 303
    assert visitor.get(path).status == 410


def test_the_link_of_acme_is_none_at_globex(app: Portal, visitor: PageClient, globex: TenantRoute) -> None:
    ask(visitor)
    assert browser(app, host_of(globex)).get(reset_path()).status == 410


def test_asking_too_often_is_stopped_for_known_and_unknown_alike(visitor: PageClient) -> None:
    for email in (BOB, "nobody@acme.example"):
        assert [ask(visitor, email).status for _ in range(5)] == [200] * 4 + [429]


def test_what_is_no_address_comes_back(visitor: PageClient) -> None:
    assert ask(visitor, "bob").status == 422
    assert visitor.field_error("email")


def test_asking_does_not_void_the_password(app: Portal, acme: TenantRoute, visitor: PageClient) -> None:
    ask(visitor)
    assert sign_in(app, host_of(acme), BOB)


def test_a_bad_new_password_comes_back_and_spends_nothing(visitor: PageClient) -> None:
    ask(visitor)
    path = reset_path()
    visitor.get(path)
    visitor.submit(path, password="password1234", repeated="password1234")
    assert (visitor.status, "easy to guess" in str(visitor.field_error("password"))) == (422, True)
    visitor.submit(path, password=NEW_PASSWORD, repeated="something else")
    assert (visitor.status, "differ" in str(visitor.field_error("repeated"))) == (422, True)
    assert choose(visitor, path) == 303
