"""One changes one's own name and ends one's own sessions, and nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.audit.models import HomeAuditEvent
from app.core import clock
from app.core.actors import Actor, ActorKind
from app.core.errors import InputError, NotFoundError
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.members import queries, services
from app.members.models import Member, MemberSession
from tests.factories import BOB, PASSWORD, actions_of, host_of, make_bob, make_member, rows_of, visit_to


@pytest.fixture
def bob(acme: TenantRoute) -> Actor:
    return Actor(ActorKind.MEMBER, BOB, make_bob(acme))


def sign_in(acme: TenantRoute, email: str = BOB) -> None:
    with tenant_scope(acme, reason="test"):
        services.sign_in(email=email, password=PASSWORD, visit=visit_to(host_of(acme)))


def test_a_new_name_is_stored_searchable_and_audited(acme: TenantRoute, bob: Actor) -> None:
    with tenant_scope(acme, reason="test"):
        services.update_profile(name=" Robert  Builder ", actor=bob)
    [row] = rows_of(Member, acme)
    assert (row.name, row.name_search) == ("Robert Builder", "robert builder")
    [event] = [event for event in rows_of(HomeAuditEvent, acme) if event.action == "member.profile_updated"]
    assert event.changes == {"name": ["Bob Builder", "Robert Builder"]}


def test_the_same_name_leaves_no_trace(acme: TenantRoute, bob: Actor) -> None:
    with tenant_scope(acme, reason="test"):
        services.update_profile(name="Bob Builder", actor=bob)
    assert "member.profile_updated" not in actions_of(rows_of(HomeAuditEvent, acme))


def test_no_name_is_refused(acme: TenantRoute, bob: Actor) -> None:
    with tenant_scope(acme, reason="test"), pytest.raises(InputError):
        services.update_profile(name="  ", actor=bob)


def test_one_session_is_ended(acme: TenantRoute, bob: Actor) -> None:
    [session] = rows_of(MemberSession, acme)
    with tenant_scope(acme, reason="test"):
        services.revoke_session(session.id, actor=bob)
        assert queries.list_live_sessions(bob.id, clock.now()) == []
    assert actions_of(rows_of(HomeAuditEvent, acme))[-1] == "member.session_revoked"


def test_all_others_are_ended(acme: TenantRoute, bob: Actor) -> None:
    sign_in(acme)
    sign_in(acme)
    with tenant_scope(acme, reason="test"):
        kept = queries.list_live_sessions(bob.id, clock.now())[0]
        services.revoke_other_sessions(keep_session_id=kept.id, actor=bob)
        assert [session.id for session in queries.list_live_sessions(bob.id, clock.now())] == [kept.id]


def test_somebody_elses_session_does_not_exist(acme: TenantRoute, bob: Actor) -> None:
    dora = make_member(acme, "dora@acme.example")
    [hers] = [session for session in rows_of(MemberSession, acme) if session.member_id == dora]
    with tenant_scope(acme, reason="test"), pytest.raises(NotFoundError):
        services.revoke_session(hers.id, actor=bob)


def test_sessions_that_ended_long_ago_are_forgotten_at_the_next_sign_in(acme: TenantRoute, bob: Actor) -> None:
    with clock.shifted(timedelta(days=14 + 30, seconds=1)):
        sign_in(acme)
    assert len(rows_of(MemberSession, acme)) == 1


def test_an_idle_session_is_not_listed(acme: TenantRoute, bob: Actor) -> None:
    with tenant_scope(acme, reason="test"):
        assert queries.list_live_sessions(bob.id, clock.now() + timedelta(hours=8)) == []
