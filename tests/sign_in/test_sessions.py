"""A session belongs to one tenant and one host, ends by rule and at once when revoked, and cannot be read from rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import Engine, event

from app.core import clock
from app.core.actors import Actor, ActorKind
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.credentials.sessions import hash_session_token
from app.members import queries
from app.members import services as members
from app.members.models import Member, MemberSession
from app.staff.models import StaffSession
from app.web.hosts import Portal
from tests.factories import (
    ADMIN_HOST,
    BOB,
    PASSWORD,
    browser,
    host_of,
    make_bob,
    make_carol,
    make_staff_user,
    rows_of,
    sign_in_as_ada,
    sign_in_as_bob,
    visit_to,
)
from tests.page import PageClient

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def cookie_of(app: Flask, client: PageClient) -> str:
    cookie = client.client.get_cookie(app.config["SESSION_COOKIE_NAME"], domain=client.host)
    assert cookie is not None
    return cookie.value


def token_in(app: Flask, client: PageClient) -> str:
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    return serializer.loads(cookie_of(app, client))["_user_id"]


def carry(app: Flask, client: PageClient, host: str) -> PageClient:
    """Return a browser that sends the first one's cookie to another host."""
    thief = browser(app, host)
    thief.client.set_cookie(app.config["SESSION_COOKIE_NAME"], cookie_of(app, client), domain=host)
    return thief


def is_signed_in(client: PageClient) -> bool:
    """Tell whether the sign-in page sends this browser on."""
    return client.get("/sign-in", follow=False).status == 303


@pytest.fixture
def bobs(app: Portal, acme: TenantRoute) -> PageClient:
    make_bob(acme)
    return sign_in_as_bob(app, acme)


@pytest.fixture
def adas(app: Portal) -> PageClient:
    make_staff_user()
    return sign_in_as_ada(app)


def test_a_cookie_of_acme_is_signed_out_at_globex(app: Portal, bobs: PageClient, globex: TenantRoute) -> None:
    make_carol(globex)
    assert is_signed_in(bobs)
    assert not is_signed_in(carry(app, bobs, host_of(globex)))


def test_a_cookie_of_acme_is_signed_out_at_admin(app: Portal, bobs: PageClient) -> None:
    make_staff_user()
    assert not is_signed_in(carry(app, bobs, ADMIN_HOST))


def test_a_cookie_of_admin_is_signed_out_at_acme(app: Portal, adas: PageClient, acme: TenantRoute) -> None:
    make_bob(acme)
    assert not is_signed_in(carry(app, adas, host_of(acme)))


def test_a_session_is_bound_to_its_host(app: Portal, bobs: PageClient, acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="test"):
        token = members.sign_in(email=BOB, password=PASSWORD, visit=visit_to("shop.example"))
    with bobs.client.session_transaction(base_url=f"http://{host_of(acme)}") as session:
        session["_user_id"] = token
    assert not is_signed_in(bobs)


def test_only_a_hash_of_the_token_is_stored(app: Portal, bobs: PageClient, acme: TenantRoute) -> None:
    token = token_in(app, bobs)
    rows = rows_of(MemberSession, acme)
    assert hash_session_token(token) in {row.token_hash for row in rows}
    assert not any(token in str(vars(row)) for row in rows)


def test_a_hash_read_from_the_rows_opens_nothing(app: Portal, bobs: PageClient, acme: TenantRoute) -> None:
    stolen = rows_of(MemberSession, acme)[0].token_hash
    for guess in (stolen.hex(), stolen.decode("latin-1")):
        with bobs.client.session_transaction(base_url=f"http://{host_of(acme)}") as session:
            session["_user_id"] = guess
        assert not is_signed_in(bobs)


def test_a_cookie_signed_with_another_key_is_nothing(app: Portal, bobs: PageClient, acme: TenantRoute) -> None:
    forger = Flask("forger")
    forger.secret_key = "guessed"
    forged = SecureCookieSessionInterface().get_signing_serializer(forger).dumps({"_user_id": token_in(app, bobs)})
    thief = browser(app, host_of(acme))
    thief.client.set_cookie(app.config["SESSION_COOKIE_NAME"], forged, domain=host_of(acme))
    assert not is_signed_in(thief)


@pytest.mark.parametrize(("idle", "alive"), [(8 * HOUR - MINUTE, True), (8 * HOUR + MINUTE, False)])
def test_a_members_session_ends_when_idle(bobs: PageClient, idle: timedelta, alive: bool) -> None:
    with clock.shifted(idle):
        assert is_signed_in(bobs) is alive


@pytest.mark.parametrize(("idle", "alive"), [(29 * MINUTE, True), (31 * MINUTE, False)])
def test_a_staff_session_ends_when_idle(adas: PageClient, idle: timedelta, alive: bool) -> None:
    with clock.shifted(idle):
        assert is_signed_in(adas) is alive


def test_use_keeps_it_alive_up_to_the_absolute_limit(adas: PageClient) -> None:
    for half_hours in range(1, 24):
        with clock.shifted(half_hours * 30 * MINUTE - half_hours * MINUTE):
            assert is_signed_in(adas)
    with clock.shifted(12 * HOUR):
        assert not is_signed_in(adas)


def test_being_seen_is_written_at_most_once_a_minute(adas: PageClient) -> None:
    first = seen_of_newest()
    is_signed_in(adas)
    assert seen_of_newest() == first
    with clock.shifted(MINUTE):
        is_signed_in(adas)
        moved = seen_of_newest()
        is_signed_in(adas)
        assert (moved > first, seen_of_newest()) == (True, moved)


def seen_of_newest() -> object:
    return max(rows_of(StaffSession), key=lambda row: row.created_at).seen_at


def test_a_revoked_session_is_out_at_once(app: Portal, bobs: PageClient, acme: TenantRoute) -> None:
    [bob] = rows_of(Member, acme)
    with tenant_scope(acme, reason="test"):
        for row in queries.list_live_sessions(bob.id, clock.now()):
            members.revoke_session(row.id, actor=Actor(ActorKind.MEMBER, bob.email, bob.id))
    assert not is_signed_in(bobs)


def test_knowing_the_viewer_takes_one_statement(bobs: PageClient) -> None:
    with statements() as sent:
        bobs.get("/sign-in", follow=False)
    assert len(sent) == 1
    assert "member_sessions" in sent[0]


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect what is sent to PostgreSQL through SQLAlchemy."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


def test_a_sign_in_gets_a_new_token_and_drops_what_a_visitor_left(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    client = browser(app, host_of(acme))
    client.get("/sign-in")
    with client.client.session_transaction(base_url=f"http://{host_of(acme)}") as session:
        session["planted"] = "by an attacker"
    client.submit("/sign-in", email=BOB, password=PASSWORD, follow=False)
    with client.client.session_transaction(base_url=f"http://{host_of(acme)}") as session:
        assert "planted" not in session
        first = session["_user_id"]
    assert token_in(app, sign_in_as_bob(app, acme)) != first
