"""A staff user who forgot the password gets a link by mail; who asks for an address that is not here learns nothing."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from app.audit.models import ControlAuditEvent
from app.core import clock
from app.core.jobs import PlatformJob
from app.core.tenancy.scopes import platform_scope
from app.staff import services
from app.web.hosts import Portal
from tests.factories import (
    ADA,
    ADMIN_HOST,
    NEW_PASSWORD,
    SETUP,
    actions_of,
    browser,
    deliver_mails,
    link_in,
    make_staff_user,
    rows_of,
    sign_in,
    sign_in_as_ada,
)
from tests.page import Page, PageClient

NOBODY = "nobody@platform.example"


@pytest.fixture
def visitor(app: Portal) -> PageClient:
    """A browser at the platform; Ada exists."""
    make_staff_user()
    return browser(app, ADMIN_HOST)


def ask(client: PageClient, email: str = ADA) -> Page:
    client.get("/sign-in")
    client.get(client.select("a[href=/forgotten-password]")[0].get("href"))
    return client.submit("/forgotten-password", email=email)


def resets() -> list:
    return [mail for mail in deliver_mails() if "new password" in mail["Subject"]]


def reset_path() -> str:
    [mail] = resets()
    assert mail["To"] == ADA
    return urlsplit(link_in(mail)).path


def choose(client: PageClient, path: str) -> int:
    client.get(path)
    return client.submit(path, password=NEW_PASSWORD, repeated=NEW_PASSWORD, follow=False).status


def test_the_link_in_the_mail_leads_to_a_new_password(app: Portal, visitor: PageClient) -> None:
    ask(visitor)
    assert choose(visitor, reset_path()) == 303
    assert visitor.get("/account").status == 200
    assert sign_in(app, ADMIN_HOST, ADA, NEW_PASSWORD)
    assert "staff.password_changed" in actions_of(rows_of(ControlAuditEvent))


def test_known_and_unknown_addresses_get_the_same_page_and_take_the_same_work(visitor: PageClient) -> None:
    pages, jobs = [], []
    for email in (ADA, NOBODY):
        before = len(rows_of(PlatformJob))
        pages.append(ask(visitor, email))
        jobs.append(len(rows_of(PlatformJob)) - before)
    assert pages[0].text == pages[1].text
    assert (pages[0].status, jobs) == (200, [1, 1])
    assert len(resets()) == 1


def test_asking_is_an_event_whoever_asks(visitor: PageClient) -> None:
    for email in (ADA, NOBODY):
        ask(visitor, email)
    asked = [event for event in rows_of(ControlAuditEvent) if event.action == "staff.password_reset_requested"]
    assert {event.target_label for event in asked} == {ADA, "unknown address"}


def test_a_deactivated_staff_user_gets_no_mail(visitor: PageClient) -> None:
    sam = make_staff_user("sam@platform.example", role="support", name="Sam")
    with platform_scope("test"):
        services.deactivate_staff_user(sam, actor=SETUP)
    ask(visitor, "sam@platform.example")
    assert resets() == []


def test_who_has_no_password_yet_gets_the_first_link_again(visitor: PageClient) -> None:
    with platform_scope("test"):
        services.create_staff_user(email="grace@platform.example", name="Grace", role="support", actor=SETUP)
    ask(visitor, "grace@platform.example")
    mails = [mail for mail in deliver_mails() if mail["To"] == "grace@platform.example"]
    assert [mail["Subject"] for mail in mails] == ["Your access to the Tenantry platform"]
    assert choose(visitor, urlsplit(link_in(mails[0])).path) == 303


def test_it_signs_out_every_other_browser(app: Portal, visitor: PageClient) -> None:
    thief = sign_in_as_ada(app)
    ask(visitor)
    choose(visitor, reset_path())
    assert thief.get("/sign-in", follow=False).status == 200
    assert visitor.get("/sign-in", follow=False).status == 303


def test_the_link_works_once_for_an_hour_and_for_nothing_else(visitor: PageClient) -> None:
    ask(visitor)
    path = reset_path()
    assert visitor.get(path.replace("password-reset", "sign-in")).status == 410
    with clock.shifted(timedelta(hours=1)):
        assert visitor.get(path).status == 410
    assert choose(visitor, path) == 303
    assert visitor.get(path).status == 410


def test_a_newer_link_voids_the_older_and_its_mail(visitor: PageClient) -> None:
    ask(visitor)
    path = reset_path()
    ask(visitor)
    assert visitor.get(path).status == 410


def test_asking_too_often_comes_back_with_the_form_for_known_and_unknown_alike(visitor: PageClient) -> None:
    for email in (ADA, NOBODY):
        assert [ask(visitor, email).status for _ in range(5)] == [200] * 4 + [429]
        assert "Too many tries. Wait" in visitor.text
        assert visitor.select("[name=email]")[0].get("value") == email
        assert int(visitor.page.response.headers["Retry-After"]) > 0


def test_asking_does_not_void_the_password(app: Portal, visitor: PageClient) -> None:
    ask(visitor)
    assert sign_in_as_ada(app)


def test_what_is_no_address_comes_back(visitor: PageClient) -> None:
    assert ask(visitor, "ada").status == 422
    assert visitor.field_error("email")


def test_a_bad_new_password_comes_back_and_spends_nothing(visitor: PageClient) -> None:
    ask(visitor)
    path = reset_path()
    visitor.get(path)
    visitor.submit(path, password="password1234", repeated="password1234")
    assert (visitor.status, "easy to guess" in str(visitor.field_error("password"))) == (422, True)
    visitor.submit(path, password=NEW_PASSWORD, repeated="something else")
    assert (visitor.status, "differ" in str(visitor.field_error("repeated"))) == (422, True)
    assert choose(visitor, path) == 303
