"""Choosing a password: by an invitation, by a reset link, or with the old one."""

from __future__ import annotations

from uuid import UUID

from app.audit.services import record_event
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.transactions import transaction
from app.core.errors import InputError
from app.core.tenancy.scopes import current_tenant_id
from app.credentials.emails import fold_email
from app.credentials.links import LinkPurpose
from app.credentials.passwords import check_password_policy, hash_password, verify_password
from app.credentials.sessions import Visit
from app.credentials.throttles import clear_account, count_try, forgive_try, mail_gates, sign_in_gates
from app.members import queries
from app.members.models import Member, MemberState, MemberThrottle
from app.members.services.invitations import send_invitation, send_nothing, send_reset
from app.members.services.sessions import UNKNOWN, end_sessions, id_of, member_actor, open_session
from app.tenants.queries import get_tenant


def accept_invitation(token: str, *, password: str, visit: Visit) -> str:
    """Spend an invitation: set the password, activate the member, open a session and return its token.

    Errors: LinkError for a link that cannot be used; InputError for a password that the policy refuses.
    """
    encoded = _make_password(token, LinkPurpose.MEMBER_INVITATION, password)
    with transaction():
        member = _spend_link(token, LinkPurpose.MEMBER_INVITATION, encoded)
        member.state = MemberState.ACTIVE
        record_event(AuditAction.MEMBER_ACTIVATED, target=member.target, actor=member_actor(member, visit))
        return open_session(member, visit)


def request_password_reset(*, email: str, visit: Visit) -> None:
    """Send a reset link if the address has an account; the caller learns nothing either way, nor from the time.

    Somebody who has not accepted the invitation gets that again.

    Errors: ThrottledError after too many requests for an address, known or not, or from one.
    Effect: mail.
    """
    address, actor = fold_email(email), Actor.visitor(visit.address)
    with transaction():
        count_try(MemberThrottle, mail_gates(address, visit.address))
        found = queries.find_member_by_email(address)
        member = queries.get_member(found.id, lock=True) if found is not None else None
        target = member.target if member is not None else UNKNOWN
        record_event(AuditAction.MEMBER_PASSWORD_RESET_REQUESTED, target=target, actor=actor)
        if member is not None and member.state == MemberState.INVITED:
            send_invitation(member)
        elif member is not None and member.is_active:
            send_reset(member)
        else:
            send_nothing()


def reset_password(token: str, *, password: str, visit: Visit) -> str:
    """Spend a reset link: set the password, end older sessions, open a new one and return its token.

    Errors: LinkError for a link that cannot be used; InputError for a password that the policy refuses.
    """
    encoded = _make_password(token, LinkPurpose.MEMBER_RESET, password)
    with transaction():
        member = _spend_link(token, LinkPurpose.MEMBER_RESET, encoded)
        end_sessions(member.id)
        clear_account(MemberThrottle, member.email)
        actor = member_actor(member, visit)
        record_event(AuditAction.MEMBER_PASSWORD_CHANGED, target=member.target, actor=actor, reason="by a reset link")
        return open_session(member, visit)


def change_password(*, old_password: str, password: str, keep_session_id: UUID, actor: Actor) -> None:
    """Change the actor's own password and end their other sessions and links.

    Errors: InputError for a wrong old password or a new one that the policy refuses; ThrottledError after too many
    tries.
    """
    member = queries.get_member(id_of(actor))
    _check_policy(member, password)
    with transaction():
        passes = count_try(MemberThrottle, sign_in_gates(member.email, actor.address or ""))
    known = member.password_hash
    if not verify_password(known, old_password):
        raise InputError("The present password is wrong.", "old_password")
    encoded = hash_password(password)
    with transaction():
        member = queries.get_member(member.id, lock=True)
        if not member.is_active or member.password_hash != known:
            raise InputError("The present password is wrong.", "old_password")
        member.password_hash = encoded
        member.void_link()
        forgive_try(MemberThrottle, passes)
        end_sessions(member.id, keep_session_id=keep_session_id)
        record_event(AuditAction.MEMBER_PASSWORD_CHANGED, target=member.target, actor=actor)


def _make_password(token: str, purpose: LinkPurpose, password: str) -> str:
    """Hash a password for a link's holder before the row is locked: argon2 takes its time."""
    with transaction():
        member = queries.get_member_by_link(token, purpose, clock.now())
        _check_policy(member, password)
    return hash_password(password)


def _check_policy(member: Member, password: str) -> None:
    tenant = get_tenant(current_tenant_id())
    check_password_policy(password, about=(member.email, member.name, tenant.name, tenant.slug))


def _spend_link(token: str, purpose: LinkPurpose, encoded: str) -> Member:
    member = queries.get_member_by_link(token, purpose, clock.now(), lock=True)
    member.use_link(clock.now())
    member.password_hash = encoded
    return member
