"""Somebody is invited once, by mail, by who may hand out the role, and without telling another tenant's addresses."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from app.audit.models import HomeAuditEvent
from app.core.actors import Actor, ActorKind
from app.core.database.session import db
from app.core.errors import ForbiddenError, InputError
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.members import services
from app.members.models import Member, Role
from app.web.hosts import Portal
from tests.factories import BOB, SETUP, deliver_mails, invite, link_in, make_member, rows_of, while_uncommitted

DORA = "dora@acme.example"


def acting(member_id: UUID) -> Actor:
    return Actor(ActorKind.MEMBER, "somebody", member_id)


def invite_as(route: TenantRoute, actor: Actor, role: str = "member") -> None:
    with tenant_scope(route, reason="test"):
        services.invite_member(name="Dora", email=DORA, role_key=role, actor=actor)


def test_the_account_waits_for_its_owner(acme: TenantRoute) -> None:
    invite(acme, " Dora@ACME.example ", name="Dora  Doe")
    [dora] = rows_of(Member, acme)
    assert (dora.email, dora.name, dora.name_search, dora.state) == (DORA, "Dora Doe", "dora doe", "invited")
    assert dora.password_hash is None


def test_it_is_audited(acme: TenantRoute) -> None:
    invite(acme, DORA, role="admin")
    [event] = [event for event in rows_of(HomeAuditEvent, acme) if event.action == "member.invited"]
    assert (event.target_label, event.changes["role"]) == (DORA, [None, "admin"])


def test_the_mail_leads_to_the_tenants_own_host(acme: TenantRoute) -> None:
    _, token = invite(acme, DORA)
    [mail] = deliver_mails()
    assert (mail["To"], mail["Subject"]) == (DORA, "You are invited to Acme")
    assert link_in(mail) == f"http://acme.localhost:8000/invitation/{token}"
    assert link_in(mail) in mail.get_body(("html",)).get_content()


def test_the_mail_names_the_member_who_invites(acme: TenantRoute) -> None:
    bob = make_member(acme, BOB, role="owner", name="Bob Builder")
    invite_as(acme, acting(bob))
    [mail] = [mail for mail in deliver_mails() if mail["To"] == DORA]
    for kind in ("plain", "html"):
        assert "Bob Builder invites you to Acme." in mail.get_body((kind,)).get_content()


def test_the_mail_names_nobody_of_the_platform(acme: TenantRoute) -> None:
    invite(acme, DORA)
    [mail] = deliver_mails()
    assert "Acme has an account for you." in mail.get_body(("plain",)).get_content()


def test_running_the_jobs_again_sends_no_second_mail(acme: TenantRoute) -> None:
    invite(acme, DORA)
    assert len(deliver_mails()) == len(deliver_mails()) == 1


@pytest.mark.parametrize(
    ("email", "name", "role", "field"),
    [
        ("dora", "Dora", "member", "email"),
        (DORA, " ", "member", "name"),
        (DORA, "Dora", "king", "role"),
        ("Dora@Acme.Example", "Dora", "member", None),
    ],
)
def test_bad_input_is_refused_beside_its_field(acme: TenantRoute, email: str, name: str, role: str, field: str) -> None:
    if field is None:
        invite(acme, DORA)
    with pytest.raises(InputError) as caught:
        invite(acme, email, name=name, role=role)
    assert caught.value.field == (field or "email")
    assert len(deliver_mails()) == (field is None)


def test_an_address_of_another_tenant_is_free_here(acme: TenantRoute, globex: TenantRoute) -> None:
    assert invite(acme, DORA)[0] != invite(globex, DORA)[0]


def test_two_invitations_at_once_make_one_account(app: Portal, acme: TenantRoute) -> None:
    scope = partial(tenant_scope, acme, reason="test")
    again = partial(services.invite_member, name="Dora", email=DORA, role_key="member", actor=SETUP)
    assert isinstance(while_uncommitted(app, scope, again, again), InputError)
    assert len(rows_of(Member, acme)) == 1


def test_only_an_owner_invites_an_owner(acme: TenantRoute) -> None:
    owner, admin = make_member(acme, BOB, role="owner"), make_member(acme, "adam@acme.example", role="admin")
    with pytest.raises(ForbiddenError):
        invite_as(acme, acting(admin), "owner")
    invite_as(acme, acting(owner), "owner")


def test_an_admin_invites_everybody_else(acme: TenantRoute) -> None:
    invite_as(acme, acting(make_member(acme, "adam@acme.example", role="admin")), "admin")


def test_a_role_of_another_tenant_is_none_here(acme: TenantRoute, globex: TenantRoute) -> None:
    with tenant_scope(globex, reason="test"):
        foreign = Role(key="spy", name="Spy", permissions=[], built_in=False)
        db.session.add(foreign)
        db.session.commit()
    with pytest.raises(InputError):
        invite(acme, DORA, role="spy")


def test_a_role_that_vanishes_meanwhile_is_not_taken_for_a_taken_address(app: Portal, acme: TenantRoute) -> None:
    scope = partial(tenant_scope, acme, reason="test")
    drop = partial(db.session.execute, delete(Role).where(Role.key == "member"))
    again = partial(services.invite_member, name="Dora", email=DORA, role_key="member", actor=SETUP)
    assert isinstance(while_uncommitted(app, scope, drop, again), IntegrityError)
