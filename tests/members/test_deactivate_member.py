"""Deactivation ends sessions and links at once; the last active owner cannot be deactivated."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest

from app.audit.models import HomeAuditEvent
from app.core.actors import Actor, ActorKind
from app.core.errors import ForbiddenError, InputError, NotFoundError, StateError
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.members import queries, services
from app.web.hosts import Portal
from tests.factories import (
    PASSWORD,
    SETUP,
    actions_of,
    browser,
    deliver_mails,
    host_of,
    invite,
    make_bob,
    make_member,
    rows_of,
    sign_in,
    visit_to,
    while_uncommitted,
)

DORA, ADAM = "dora@acme.example", "adam@acme.example"


def deactivate(route: TenantRoute, member_id: UUID, actor: Actor = SETUP) -> None:
    with tenant_scope(route, reason="test"):
        services.deactivate_member(member_id, actor=actor)


def reactivate(route: TenantRoute, member_id: UUID, actor: Actor = SETUP) -> None:
    with tenant_scope(route, reason="test"):
        services.reactivate_member(member_id, actor=actor)


def acting(member_id: UUID) -> Actor:
    return Actor(ActorKind.MEMBER, "somebody", member_id)


def state_of(route: TenantRoute, member_id: UUID) -> str:
    with tenant_scope(route, reason="test"):
        return queries.get_member(member_id).state


def test_the_next_request_is_signed_out(app: Portal, acme: TenantRoute) -> None:
    dora = make_member(acme, DORA)
    client = sign_in(app, host_of(acme), DORA)
    deactivate(acme, dora)
    assert client.get("/sign-in", follow=False).status == 200


def test_it_is_audited(acme: TenantRoute) -> None:
    deactivate(acme, make_member(acme, DORA))
    events = rows_of(HomeAuditEvent, acme)
    assert actions_of(events)[-1] == "member.deactivated"


def test_an_invitation_is_void_and_not_even_sent(app: Portal, acme: TenantRoute) -> None:
    dora, token = invite(acme, DORA)
    deactivate(acme, dora)
    assert deliver_mails() == []
    assert browser(app, host_of(acme)).get(f"/invitation/{token}").status == 410


def test_a_forgotten_password_sends_nothing(acme: TenantRoute) -> None:
    deactivate(acme, make_member(acme, DORA))
    with tenant_scope(acme, reason="test"):
        services.request_password_reset(email=DORA, visit=visit_to(host_of(acme)))
    assert deliver_mails() == []


def test_the_last_active_owner_stays(acme: TenantRoute) -> None:
    with pytest.raises(StateError, match="last active owner"):
        deactivate(acme, make_bob(acme))


def test_owners_cannot_deactivate_each_other_at_once(app: Portal, acme: TenantRoute) -> None:
    bob, dora = make_bob(acme), make_member(acme, DORA, role="owner")
    scope = partial(tenant_scope, acme, reason="test")
    first = partial(services.deactivate_member, bob, actor=acting(dora))
    second = partial(services.deactivate_member, dora, actor=acting(bob))
    assert isinstance(while_uncommitted(app, scope, first, second), StateError)
    assert {state_of(acme, bob), state_of(acme, dora)} == {"active", "deactivated"}


def test_a_sign_in_at_the_same_moment_comes_too_late(app: Portal, acme: TenantRoute) -> None:
    dora = make_member(acme, DORA)
    scope = partial(tenant_scope, acme, reason="test")
    first = partial(services.deactivate_member, dora, actor=SETUP)
    second = partial(services.sign_in, email=DORA, password=PASSWORD, visit=visit_to(host_of(acme)))
    assert isinstance(while_uncommitted(app, scope, first, second), InputError)


def test_an_admin_does_not_deactivate_an_owner(acme: TenantRoute) -> None:
    bob = make_bob(acme)
    make_member(acme, DORA, role="owner")
    with pytest.raises(ForbiddenError):
        deactivate(acme, bob, acting(make_member(acme, ADAM, role="admin")))


def test_twice_is_refused(acme: TenantRoute) -> None:
    dora = make_member(acme, DORA)
    deactivate(acme, dora)
    with pytest.raises(StateError):
        deactivate(acme, dora)


def test_another_tenants_member_does_not_exist(acme: TenantRoute, globex: TenantRoute) -> None:
    dora = make_member(acme, DORA)
    for act in (deactivate, reactivate):
        with pytest.raises(NotFoundError):
            act(globex, dora)


def test_reactivation_gives_the_old_password_back(app: Portal, acme: TenantRoute) -> None:
    dora = make_member(acme, DORA)
    deactivate(acme, dora)
    reactivate(acme, dora)
    assert sign_in(app, host_of(acme), DORA)
    assert "member.reactivated" in actions_of(rows_of(HomeAuditEvent, acme))


def test_who_never_accepted_is_invited_again(acme: TenantRoute) -> None:
    dora, _ = invite(acme, DORA)
    deactivate(acme, dora)
    reactivate(acme, dora)
    assert state_of(acme, dora) == "invited"
    assert [mail["To"] for mail in deliver_mails()] == [DORA]


def test_who_is_active_cannot_be_reactivated(acme: TenantRoute) -> None:
    with pytest.raises(StateError):
        reactivate(acme, make_member(acme, DORA))


def test_an_admin_does_not_reactivate_an_owner(acme: TenantRoute) -> None:
    make_bob(acme)
    dora = make_member(acme, DORA, role="owner")
    deactivate(acme, dora)
    with pytest.raises(ForbiddenError):
        reactivate(acme, dora, acting(make_member(acme, ADAM, role="admin")))
