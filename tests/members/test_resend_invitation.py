"""A second invitation is a second mail, and the first one's link is void."""

from __future__ import annotations

import pytest

from app.audit.models import HomeAuditEvent
from app.core.actors import Actor, ActorKind
from app.core.errors import ForbiddenError, NotFoundError, StateError
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.credentials.link_rows import LinkError
from app.members import services
from tests.factories import (
    BOB,
    PASSWORD,
    SETUP,
    actions_of,
    deliver_mails,
    host_of,
    invite,
    link_in,
    make_member,
    rows_of,
    visit_to,
)


def test_a_second_mail_carries_a_second_link(acme: TenantRoute) -> None:
    member_id, _ = invite(acme, BOB)
    deliver_mails()
    with tenant_scope(acme, reason="test"):
        services.resend_invitation(member_id, actor=SETUP)
    assert len({link_in(mail) for mail in deliver_mails()}) == 2
    assert actions_of(rows_of(HomeAuditEvent, acme))[-1] == "member.reinvited"


def test_a_mail_whose_link_was_replaced_before_it_went_out_is_not_sent(acme: TenantRoute) -> None:
    member_id, _ = invite(acme, BOB)
    with tenant_scope(acme, reason="test"):
        services.resend_invitation(member_id, actor=SETUP)
    assert len(deliver_mails()) == 1


def test_the_first_link_is_void(acme: TenantRoute) -> None:
    member_id, first = invite(acme, BOB)
    with tenant_scope(acme, reason="test"):
        services.resend_invitation(member_id, actor=SETUP)
        with pytest.raises(LinkError):
            services.accept_invitation(first, password=PASSWORD, visit=visit_to(host_of(acme)))


def test_who_has_accepted_is_not_invited_again(acme: TenantRoute) -> None:
    member_id = make_member(acme, BOB)
    with tenant_scope(acme, reason="test"), pytest.raises(StateError):
        services.resend_invitation(member_id, actor=SETUP)


def test_an_admin_does_not_invite_an_owner_again(acme: TenantRoute) -> None:
    admin = make_member(acme, "adam@acme.example", role="admin")
    owner, _ = invite(acme, BOB, role="owner")
    with tenant_scope(acme, reason="test"), pytest.raises(ForbiddenError):
        services.resend_invitation(owner, actor=Actor(ActorKind.MEMBER, "adam", admin))


def test_another_tenants_member_does_not_exist(acme: TenantRoute, globex: TenantRoute) -> None:
    member_id, _ = invite(acme, BOB)
    with tenant_scope(globex, reason="test"), pytest.raises(NotFoundError):
        services.resend_invitation(member_id, actor=SETUP)
