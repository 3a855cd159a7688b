"""The owner's link is the invitation until it was accepted, and a way to a new password after."""

from __future__ import annotations

import pytest

from app.core.errors import StateError
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.members import services
from app.web.hosts import Portal
from tests.factories import BOB, SETUP, browser, deliver_mails, host_of, invite, make_bob, make_member


def owner_link(route: TenantRoute) -> str:
    with tenant_scope(route, reason="test"):
        return services.create_owner_link(actor=SETUP)


def test_an_owner_who_has_not_accepted_gets_an_invitation(app: Portal, acme: TenantRoute) -> None:
    _, first = invite(acme, BOB, role="owner")
    path = owner_link(acme)
    assert path.startswith("/invitation/")
    client = browser(app, host_of(acme))
    assert (client.get(path).status, client.get(f"/invitation/{first}").status) == (200, 410)


def test_an_owner_who_has_accepted_gets_a_new_password(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    path = owner_link(acme)
    assert path.startswith("/password-reset/")
    assert "Hello Bob Builder" in browser(app, host_of(acme)).get(path).text


def test_the_active_owner_comes_before_an_invited_one(app: Portal, acme: TenantRoute) -> None:
    invite(acme, "earlier@acme.example", role="owner", name="Early Bird")
    make_bob(acme)
    assert "Hello Bob Builder" in browser(app, host_of(acme)).get(owner_link(acme)).text


def test_no_mail_is_sent(acme: TenantRoute) -> None:
    make_bob(acme)
    owner_link(acme)
    assert deliver_mails() == []


def test_without_an_owner_there_is_no_link(acme: TenantRoute) -> None:
    make_member(acme, "dora@acme.example")
    with pytest.raises(StateError):
        owner_link(acme)
