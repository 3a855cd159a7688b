"""The cast: Ada operates the platform, Bob owns Acme, Carol belongs to Globex and must never see Acme."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID

import pytest
from argon2 import Parameters, Type
from flask import Flask
from sqlalchemy import select

from app.core.actors import Actor
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.encryption.attributes import list_encrypted
from app.core.runtime import current_settings
from app.core.tenancy.scopes import TenantRoute, find_scope, platform_scope, tenant_scope
from app.credentials import passwords
from app.credentials.link_rows import derive_link_token
from app.credentials.sessions import Visit
from app.members import queries as members_queries
from app.members import services as members
from app.staff import queries as staff_queries
from app.staff import services as staff
from tests.page import PageClient
from tests.tenant_rows import make_tenant_rows
from tests.work import run_jobs

Scoped = Callable[[], AbstractContextManager[object]]

ADMIN_HOST = "admin.localhost"
PASSWORD = "plum orbit canvas lantern"
NEW_PASSWORD = "violet anchor thimble meadow"
ADA = "ada@platform.example"
BOB = "bob@acme.example"
CAROL = "carol@globex.example"
SETUP = Actor.system("test")
ADDRESS = "192.0.2.1"
# A thousandth of the real cost: the suite proves what is checked, not how long it takes.
CHEAP = Parameters(Type.ID, 19, 16, 32, 1, 8, 1)


def host_of(route: TenantRoute) -> str:
    """Return the host of a tenant's portal."""
    return f"{route.slug}.localhost"


def visit_to(host: str, address: str = ADDRESS) -> Visit:
    """Return a visit to a host, as the sign-in views make it of a request."""
    return Visit(host, address, "Firefox")


def make_tenant(slug: str = "acme", *, status: str = "active") -> TenantRoute:
    """Make an active tenant with a home and its roles."""
    route = make_tenant_rows(slug, status=status)
    with tenant_scope(route, reason="test"):
        members.create_default_roles(actor=SETUP)
    return route


def make_staff_user(email: str = ADA, *, role: str = "admin", name: str = "Ada Lovelace") -> UUID:
    """Make a staff user who has chosen PASSWORD by the one-time link."""
    with platform_scope("test"):
        user_id = staff.create_staff_user(email=email, name=name, role=role, actor=SETUP)
        token = derive_link_token(staff_queries.get_staff_user(user_id))
        staff.accept_link(token, password=PASSWORD, visit=visit_to(ADMIN_HOST))
    return user_id


def invite(route: TenantRoute, email: str, *, role: str = "member", name: str = "Dora Doe") -> tuple[UUID, str]:
    """Invite a member; return their id and the token of the invitation."""
    with tenant_scope(route, reason="test"):
        member_id = members.invite_member(name=name, email=email, role_key=role, actor=SETUP)
        return member_id, derive_link_token(members_queries.get_member(member_id))


def make_member(route: TenantRoute, email: str, *, role: str = "member", name: str = "Dora Doe") -> UUID:
    """Make a member who has accepted the invitation with PASSWORD."""
    member_id, token = invite(route, email, role=role, name=name)
    with tenant_scope(route, reason="test"):
        members.accept_invitation(token, password=PASSWORD, visit=visit_to(host_of(route)))
    return member_id


def make_bob(acme: TenantRoute) -> UUID:
    """Make Bob, who owns Acme."""
    return make_member(acme, BOB, role="owner", name="Bob Builder")


def make_carol(globex: TenantRoute) -> UUID:
    """Make Carol, who owns Globex."""
    return make_member(globex, CAROL, role="owner", name="Carol Danvers")


def browser(app: Flask, host: str) -> PageClient:
    """Return a browser without cookies, about to visit a host."""
    return PageClient(app.test_client(), host)


def sign_in(app: Flask, host: str, email: str, password: str = PASSWORD) -> PageClient:
    """Return a browser that has signed in on a host through the sign-in page."""
    client = browser(app, host)
    client.get("/sign-in")
    client.submit("/sign-in", email=email, password=password, follow=False)
    assert client.status == 303, client.text
    return client


def sign_in_as_ada(app: Flask) -> PageClient:
    """Return Ada's browser on the platform's host; she exists."""
    return sign_in(app, ADMIN_HOST, ADA)


def sign_in_as_bob(app: Flask, acme: TenantRoute) -> PageClient:
    """Return Bob's browser on Acme's host; he exists."""
    return sign_in(app, host_of(acme), BOB)


def deliver_mails() -> list[EmailMessage]:
    """Run the jobs and return the mails in the folder, the oldest first."""
    run_jobs()
    paths = sorted(current_settings().mail_dir.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [message_from_bytes(path.read_bytes(), policy=default) for path in paths]


def link_in(mail: EmailMessage) -> str:
    """Return the first link in a mail's text that carries a token."""
    found = re.search(r"http://\S+/[A-Za-z0-9_-]{76}", mail.get_body(("plain",)).get_content())
    assert found, mail
    return found.group()


def use_cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let argon2 work as little as it can, in this process."""
    for function in (passwords.hash_password, passwords.verify_password, passwords.needs_rehash):
        monkeypatch.setitem(function.__kwdefaults__, "cost", CHEAP)


def while_uncommitted(
    app: Flask, scope: Scoped, first: Callable[[], object], second: Callable[[], object]
) -> Exception | None:
    """Do the first, let the second begin and wait for it elsewhere, then commit; return what the second raised."""
    raised: list[Exception] = []

    def run_second() -> None:
        with app.app_context(), scope():
            try:
                second()
            except Exception as error:
                raised.append(error)

    thread = threading.Thread(target=run_second)
    with scope(), transaction():
        first()
        thread.start()
        # It must still be waiting for our locks; without them it would be done by now.
        thread.join(timeout=0.3)
        assert thread.is_alive(), raised
    thread.join()
    return raised[0] if raised else None


def rows_of(model: type, route: TenantRoute | None = None) -> list:
    """Return every row of a table, of one tenant's or of the platform's."""
    assert find_scope() is None
    with tenant_scope(route, reason="test") if route is not None else platform_scope("test"):
        rows = list(db.session.scalars(select(model)))
        for row in rows:
            for sealed in list_encrypted(model):
                getattr(row, sealed.name)  # Opened here, it is read anywhere.
        return rows


def actions_of(events: list) -> list[str]:
    """Return what happened, in order."""
    return [event.action for event in sorted(events, key=lambda event: (event.at, event.id))]
