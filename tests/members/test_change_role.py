"""A role changes with the next request; only owners make and unmake owners, and one always remains."""

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
from tests.factories import BOB, SETUP, invite, make_bob, make_member, rows_of, while_uncommitted

DORA, ADAM = "dora@acme.example", "adam@acme.example"


def change(route: TenantRoute, member_id: UUID, role: str, actor: Actor = SETUP) -> None:
    with tenant_scope(route, reason="test"):
        services.change_role(member_id, role_key=role, actor=actor)


def role_of(route: TenantRoute, member_id: UUID) -> str:
    with tenant_scope(route, reason="test"):
        return queries.get_member(member_id).role.key


def acting(member_id: UUID) -> Actor:
    return Actor(ActorKind.MEMBER, "somebody", member_id)


def test_the_role_is_another_and_audited(acme: TenantRoute) -> None:
    dora = make_member(acme, DORA)
    change(acme, dora, "admin")
    assert role_of(acme, dora) == "admin"
    [event] = [event for event in rows_of(HomeAuditEvent, acme) if event.action == "member.role_changed"]
    assert event.changes == {"role": ["member", "admin"]}


def test_the_same_role_leaves_no_trace(acme: TenantRoute) -> None:
    change(acme, make_member(acme, DORA), "member")
    assert "member.role_changed" not in {event.action for event in rows_of(HomeAuditEvent, acme)}


def test_a_role_that_is_none_is_refused(acme: TenantRoute) -> None:
    with pytest.raises(InputError):
        change(acme, make_member(acme, DORA), "king")


def test_the_last_active_owner_keeps_the_role(acme: TenantRoute) -> None:
    bob = make_bob(acme)
    invite(acme, DORA, role="owner")
    with pytest.raises(StateError, match="last active owner"):
        change(acme, bob, "admin")


def test_an_invited_owner_alone_keeps_the_role(acme: TenantRoute) -> None:
    bob, _ = invite(acme, BOB, role="owner")
    with pytest.raises(StateError):
        change(acme, bob, "member")


def test_one_of_two_owners_may_step_down(acme: TenantRoute) -> None:
    bob, _ = make_bob(acme), make_member(acme, DORA, role="owner")
    change(acme, bob, "member", acting(bob))
    assert role_of(acme, bob) == "member"


def test_two_owners_cannot_step_down_at_once(app: Portal, acme: TenantRoute) -> None:
    bob, dora = make_bob(acme), make_member(acme, DORA, role="owner")
    scope = partial(tenant_scope, acme, reason="test")
    first = partial(services.change_role, bob, role_key="admin", actor=SETUP)
    second = partial(services.change_role, dora, role_key="admin", actor=SETUP)
    assert isinstance(while_uncommitted(app, scope, first, second), StateError)
    assert {role_of(acme, bob), role_of(acme, dora)} == {"admin", "owner"}


def test_stepping_down_and_deactivating_the_other_at_once_leaves_an_owner(app: Portal, acme: TenantRoute) -> None:
    bob, dora = make_bob(acme), make_member(acme, DORA, role="owner")
    scope = partial(tenant_scope, acme, reason="test")
    first = partial(services.change_role, bob, role_key="admin", actor=SETUP)
    second = partial(services.deactivate_member, dora, actor=SETUP)
    assert isinstance(while_uncommitted(app, scope, first, second), StateError)


@pytest.mark.parametrize(("before", "after"), [("owner", "member"), ("member", "owner"), ("admin", "owner")])
def test_an_admin_neither_makes_nor_unmakes_owners(acme: TenantRoute, before: str, after: str) -> None:
    make_bob(acme)
    adam, dora = make_member(acme, ADAM, role="admin"), make_member(acme, DORA, role=before)
    with pytest.raises(ForbiddenError):
        change(acme, dora, after, acting(adam))


def test_an_admin_cannot_promote_themselves(acme: TenantRoute) -> None:
    adam = make_member(acme, ADAM, role="admin")
    with pytest.raises(ForbiddenError):
        change(acme, adam, "owner", acting(adam))


def test_an_admin_changes_everybody_else(acme: TenantRoute) -> None:
    adam, dora = make_member(acme, ADAM, role="admin"), make_member(acme, DORA)
    change(acme, dora, "admin", acting(adam))
    assert role_of(acme, dora) == "admin"


def test_another_tenants_member_does_not_exist(acme: TenantRoute, globex: TenantRoute) -> None:
    dora = make_member(acme, DORA)
    with pytest.raises(NotFoundError):
        change(globex, dora, "admin")
