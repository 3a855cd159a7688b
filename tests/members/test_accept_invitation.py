"""Accepting sets the password, activates the account and opens a session; once."""

from __future__ import annotations

from functools import partial

import pytest

from app.audit.models import HomeAuditEvent
from app.core.errors import InputError
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.credentials.link_rows import LinkError
from app.members import services
from app.members.models import Member, MemberSession
from app.web.hosts import Portal
from tests.factories import (
    BOB,
    NEW_PASSWORD,
    PASSWORD,
    SETUP,
    actions_of,
    deliver_mails,
    host_of,
    invite,
    rows_of,
    visit_to,
    while_uncommitted,
)


def accept(route: TenantRoute, token: str, password: str = PASSWORD) -> str:
    with tenant_scope(route, reason="test"):
        return services.accept_invitation(token, password=password, visit=visit_to(host_of(route)))


def test_the_member_is_active_and_signed_in(acme: TenantRoute) -> None:
    accept(acme, invite(acme, BOB)[1])
    [bob], [session] = rows_of(Member, acme), rows_of(MemberSession, acme)
    assert (bob.state, bob.password_hash.startswith("$argon2id$")) == ("active", True)
    assert (session.member_id, session.host) == (bob.id, "acme.localhost")


def test_it_is_audited_as_the_member(acme: TenantRoute) -> None:
    accept(acme, invite(acme, BOB)[1])
    events = sorted(rows_of(HomeAuditEvent, acme), key=lambda event: (event.at, event.id))
    assert actions_of(events)[-2:] == ["member.activated", "member.signed_in"]
    assert {event.actor_label for event in events[-2:]} == {BOB}


def test_it_works_once(acme: TenantRoute) -> None:
    _, token = invite(acme, BOB)
    accept(acme, token)
    with pytest.raises(LinkError):
        accept(acme, token, NEW_PASSWORD)


def test_two_at_once_spend_it_once(app: Portal, acme: TenantRoute) -> None:
    _, token = invite(acme, BOB)
    scope, visit = partial(tenant_scope, acme, reason="test"), visit_to(host_of(acme))
    first = partial(services.accept_invitation, token, password=PASSWORD, visit=visit)
    second = partial(services.accept_invitation, token, password=NEW_PASSWORD, visit=visit)
    assert isinstance(while_uncommitted(app, scope, first, second), LinkError)
    assert len(rows_of(MemberSession, acme)) == 1


@pytest.mark.parametrize("password", ["short", "bob@acme.example", "acme acme acme", "password1234", "x" * 200])
def test_a_password_made_of_what_is_known_is_refused_and_spends_nothing(acme: TenantRoute, password: str) -> None:
    _, token = invite(acme, BOB, name="Bob Builder")
    with pytest.raises(InputError) as caught:
        accept(acme, token, password)
    assert caught.value.field == "password"
    assert accept(acme, token)


def test_who_was_deactivated_meanwhile_stays_out(acme: TenantRoute) -> None:
    member_id, token = invite(acme, BOB)
    with tenant_scope(acme, reason="test"):
        services.deactivate_member(member_id, actor=SETUP)
    with pytest.raises(LinkError):
        accept(acme, token)


def test_a_link_of_acme_is_none_at_globex(acme: TenantRoute, globex: TenantRoute) -> None:
    _, token = invite(acme, BOB)
    with pytest.raises(LinkError):
        accept(globex, token)


def test_no_mail_goes_out_for_a_link_that_was_used(acme: TenantRoute) -> None:
    accept(acme, invite(acme, BOB)[1])
    assert deliver_mails() == []
