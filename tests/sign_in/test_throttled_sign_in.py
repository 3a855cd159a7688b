"""Guessing is stopped per account and per address, for unknown accounts too, with Redis gone too, in the same words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis import Redis

from app.core import clock
from app.core.tenancy.scopes import TenantRoute
from app.web.hosts import Portal
from tests.factories import ADMIN_HOST, BOB, PASSWORD, browser, host_of, make_bob, make_staff_user
from tests.page import Page, PageClient


@pytest.fixture
def guesser(app: Portal, acme: TenantRoute) -> PageClient:
    """A browser at Acme's sign-in page; Bob exists."""
    make_bob(acme)
    return browser(app, host_of(acme))


def guess(client: PageClient, email: str = BOB, password: str = "a wrong password", address: str = "127.0.0.1") -> Page:
    client.client.environ_base["REMOTE_ADDR"] = address
    client.get("/sign-in")
    return client.submit("/sign-in", email=email, password=password, follow=False)


def statuses(client: PageClient, count: int, **values: str) -> list[int]:
    return [guess(client, **values).status for _ in range(count)]


def test_the_seventh_guess_is_not_even_tried(guesser: PageClient) -> None:
    assert statuses(guesser, 6) == [422] * 6
    page = guess(guesser, password=PASSWORD)
    assert page.status == 429
    assert 25 <= int(page.response.headers["Retry-After"]) <= 30
    assert "Too many tries. Wait" in page.text


def test_who_has_to_wait_still_has_the_form(guesser: PageClient) -> None:
    statuses(guesser, 7)
    assert guesser.select("form [name=email]")[0].get("value") == BOB
    with clock.shifted(timedelta(seconds=30)):
        assert guesser.submit("/sign-in", password=PASSWORD, follow=False).status == 303


def test_who_waits_as_told_gets_in(guesser: PageClient) -> None:
    statuses(guesser, 6)
    with clock.shifted(timedelta(seconds=30)):
        assert guess(guesser, password=PASSWORD).status == 303


def test_an_unknown_account_is_locked_the_same(guesser: PageClient) -> None:
    known = [guess(guesser).text for _ in range(7)]
    unknown = [guess(guesser, email="no@acme.example", address="192.0.2.7").text for _ in range(7)]
    assert [strip(text) for text in known] == [strip(text) for text in unknown]


def strip(text: str) -> str:
    return " ".join(word for word in text.split() if not any(map(str.isdigit, word)))


def test_another_address_does_not_unlock_the_account(guesser: PageClient) -> None:
    statuses(guesser, 6)
    assert guess(guesser, password=PASSWORD, address="192.0.2.9").status == 429


def test_an_address_that_guesses_many_accounts_is_locked(guesser: PageClient) -> None:
    answers = [guess(guesser, email=f"a{number}@acme.example").status for number in range(22)]
    assert answers == [422] * 21 + [429]
    assert guess(guesser, password=PASSWORD).status == 429
    assert guess(guesser, password=PASSWORD, address="192.0.2.9").status == 303


def test_the_lock_holds_without_redis(app: Portal, guesser: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "tenantry_redis", Redis(port=1, retry=None, socket_connect_timeout=1))
    assert statuses(guesser, 7) == [422] * 6 + [429]


def test_staff_are_locked_too(app: Portal, acme: TenantRoute) -> None:
    make_staff_user()
    client = browser(app, ADMIN_HOST)
    assert statuses(client, 7, email="ada@platform.example") == [422] * 6 + [429]


def test_guessing_at_one_tenant_locks_nobody_at_another(app: Portal, guesser: PageClient, globex: TenantRoute) -> None:
    statuses(guesser, 7)
    assert guess(browser(app, host_of(globex))).status == 422
