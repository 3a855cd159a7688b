"""A password changes with the old one or by a reset link, and takes every other session with it."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest

from app.audit.models import HomeAuditEvent
from app.core import clock
from app.core.actors import Actor, ActorKind
from app.core.errors import InputError, ThrottledError
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.credentials.link_rows import LinkError, derive_link_token
from app.credentials.passwords import PASSWORD_COST, hash_password
from app.members import queries, services
from app.members.models import Member, MemberSession
from app.web.hosts import Portal
from tests.factories import (
    ADDRESS,
    BOB,
    NEW_PASSWORD,
    PASSWORD,
    actions_of,
    host_of,
    make_bob,
    rows_of,
    visit_to,
    while_uncommitted,
)

NONE = UUID(int=0)


@pytest.fixture
def bob(acme: TenantRoute) -> Actor:
    """Bob as he acts, with one session from accepting his invitation."""
    return Actor(ActorKind.MEMBER, BOB, make_bob(acme), ADDRESS)


def sign_in(acme: TenantRoute, password: str = PASSWORD) -> UUID:
    """Open a session and return its id."""
    with tenant_scope(acme, reason="test"):
        services.sign_in(email=BOB, password=password, visit=visit_to(host_of(acme)))
    return max(rows_of(MemberSession, acme), key=lambda session: session.created_at).id


def change(acme: TenantRoute, bob: Actor, old: str = PASSWORD, new: str = NEW_PASSWORD, keep: UUID = NONE) -> None:
    with tenant_scope(acme, reason="test"):
        services.change_password(old_password=old, password=new, keep_session_id=keep, actor=bob)


def reset_token(acme: TenantRoute, bob: Actor) -> str:
    with tenant_scope(acme, reason="test"):
        services.request_password_reset(email=BOB, visit=visit_to(host_of(acme)))
        return derive_link_token(queries.get_member(bob.id))


def reset(acme: TenantRoute, token: str) -> str:
    with tenant_scope(acme, reason="test"):
        return services.reset_password(token, password=NEW_PASSWORD, visit=visit_to(host_of(acme)))


def live_ids(acme: TenantRoute) -> set[UUID]:
    return {session.id for session in rows_of(MemberSession, acme) if session.revoked_at is None}


def test_the_new_one_works_and_the_old_one_does_not(acme: TenantRoute, bob: Actor) -> None:
    change(acme, bob)
    assert sign_in(acme, NEW_PASSWORD)
    with pytest.raises(InputError):
        sign_in(acme, PASSWORD)


def test_only_the_session_that_changed_it_goes_on(acme: TenantRoute, bob: Actor) -> None:
    kept = sign_in(acme)
    change(acme, bob, keep=kept)
    assert live_ids(acme) == {kept}


def test_a_wrong_old_password_changes_nothing(acme: TenantRoute, bob: Actor) -> None:
    with pytest.raises(InputError) as caught:
        change(acme, bob, old="something else")
    assert caught.value.field == "old_password"
    assert sign_in(acme)


def test_the_old_password_cannot_be_guessed_from_a_stolen_session(acme: TenantRoute, bob: Actor) -> None:
    for _ in range(6):
        with pytest.raises(InputError):
            change(acme, bob, old="a guess")
    with pytest.raises(ThrottledError):
        change(acme, bob)


@pytest.mark.parametrize("new", ["short", "bob@acme.example", "builderbuilder", "acmeacmeacme"])
def test_a_bad_new_password_is_refused(acme: TenantRoute, bob: Actor, new: str) -> None:
    with pytest.raises(InputError) as caught:
        change(acme, bob, new=new)
    assert caught.value.field == "password"


def test_changing_it_voids_a_reset_link(acme: TenantRoute, bob: Actor) -> None:
    token = reset_token(acme, bob)
    change(acme, bob)
    with pytest.raises(LinkError):
        reset(acme, token)


def test_two_changes_at_once_make_one(app: Portal, acme: TenantRoute, bob: Actor) -> None:
    act = partial(services.change_password, old_password=PASSWORD, keep_session_id=NONE, actor=bob)
    scope = partial(tenant_scope, acme, reason="test")
    other = partial(act, password="basalt ribbon quartz olive")
    assert while_uncommitted(app, scope, partial(act, password=NEW_PASSWORD), other) is not None


def test_it_is_audited_with_no_password_in_it(acme: TenantRoute, bob: Actor) -> None:
    change(acme, bob)
    events = rows_of(HomeAuditEvent, acme)
    assert actions_of(events)[-1] == "member.password_changed"
    assert not any(word in str(vars(event)) for event in events for word in (PASSWORD, NEW_PASSWORD, "argon2"))


def test_a_reset_signs_in_and_ends_every_other_session(acme: TenantRoute, bob: Actor) -> None:
    before = {sign_in(acme)} | live_ids(acme)
    reset(acme, reset_token(acme, bob))
    assert len(live_ids(acme)) == 1
    assert not live_ids(acme) & before


def test_a_reset_lifts_the_lock_of_the_account(acme: TenantRoute, bob: Actor) -> None:
    for _ in range(6):
        with pytest.raises(InputError):
            sign_in(acme, "wrong")
    reset(acme, reset_token(acme, bob))
    assert sign_in(acme, NEW_PASSWORD)


def test_a_reset_is_audited_with_its_reason(acme: TenantRoute, bob: Actor) -> None:
    reset(acme, reset_token(acme, bob))
    events = {event.action: event for event in rows_of(HomeAuditEvent, acme)}
    assert events["member.password_reset_requested"].actor_label == "visitor"
    assert events["member.password_changed"].reason == "by a reset link"


def test_a_request_for_nobody_is_audited_without_the_address(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="test"):
        services.request_password_reset(email="secret@acme.example", visit=visit_to(host_of(acme)))
    [event] = [event for event in rows_of(HomeAuditEvent, acme) if event.action == "member.password_reset_requested"]
    assert "secret" not in str(vars(event))


def test_a_hash_of_another_cost_is_replaced_at_the_next_sign_in(
    acme: TenantRoute, bob: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_of(Member, acme)[0].password_hash
    monkeypatch.setitem(hash_password.__kwdefaults__, "cost", PASSWORD_COST)
    monkeypatch.setitem(services.sessions.needs_rehash.__kwdefaults__, "cost", PASSWORD_COST)
    sign_in(acme)
    after = rows_of(Member, acme)[0].password_hash
    assert (before != after, "m=65536,t=3,p=4" in after) == (True, True)
    assert sign_in(acme)
    assert clock.now() >= rows_of(Member, acme)[0].last_signed_in_at
