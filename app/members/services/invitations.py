"""How somebody becomes a member: invited, reminded, and in by the link."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit.services import record_event, unaudited
from app.core import clock
from app.core.actors import Actor, ActorKind
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import InputError, StateError
from app.core.ids import new_id
from app.credentials.emails import normalise_email
from app.credentials.link_rows import INVITATION_LIFETIME, RESET_LIFETIME
from app.credentials.links import LinkPurpose
from app.credentials.names import check_person_name
from app.mail.names import MailName
from app.mail.services import queue_mail
from app.members import queries
from app.members.links import link_path
from app.members.models import Member, MemberState
from app.members.services.facts import request_facts
from app.members.services.roles import refuse_above_own_rank


def invite_member(*, name: str, email: str, role_key: str, actor: Actor) -> UUID:
    """Write an account that waits for its owner, and send the invitation.

    Errors: InputError for an address that is none or has an account here, a name or a role that is none; ForbiddenError
    when somebody who is no owner invites one.
    Effect: mail.
    """
    address = normalise_email(email)
    with transaction():
        role = queries.get_role(role_key)
        refuse_above_own_rank(actor, role)
        member = Member(id=new_id(), email=address, role_id=role.id, state=MemberState.INVITED)
        member.rename(check_person_name(name))
        send_invitation(member, actor)
        _insert(member)
        changes = {"name": (None, member.name), "email": (None, address), "role": (None, role.key)}
        record_event(AuditAction.MEMBER_INVITED, target=member.target, actor=actor, changes=changes)
        request_facts()
    return member.id


def resend_invitation(member_id: UUID, *, actor: Actor) -> None:
    """Send a new invitation; the links of earlier ones are void.

    Errors: StateError unless the member is invited; ForbiddenError when somebody who is no owner invites one.
    Effect: mail.
    """
    with transaction():
        member = queries.get_member(member_id, lock=True)
        refuse_above_own_rank(actor, member.role)
        if member.state != MemberState.INVITED:
            raise StateError("Only somebody who has not accepted yet can be invited again.")
        send_invitation(member, actor)
        record_event(AuditAction.MEMBER_REINVITED, target=member.target, actor=actor)


def create_owner_link(*, actor: Actor) -> str:
    """Return the path of a new link by which the owner gets in: the invitation, or a reset once it was accepted.

    Earlier links are void; no mail is sent, because whoever asks hands the link over.

    Errors: StateError for a tenant without an owner.
    """
    with transaction():
        owner, now = _lock_owner(), clock.now()
        if owner.state == MemberState.INVITED:
            owner.issue_link(LinkPurpose.MEMBER_INVITATION, INVITATION_LIFETIME, now)
        else:
            owner.issue_link(LinkPurpose.MEMBER_RESET, RESET_LIFETIME, now)
        _record_owner_link(owner, actor, "a link was handed out")
    return link_path(owner)


def mail_owner_link(*, actor: Actor) -> None:
    """Mail the owner a new link by which they get in: the invitation, or a reset once it was accepted.

    Errors: StateError for a tenant without an owner.
    Effect: mail; earlier links are void.
    """
    with transaction():
        owner = _lock_owner()
        if owner.state == MemberState.INVITED:
            send_invitation(owner)
        else:
            send_reset(owner)
        _record_owner_link(owner, actor, "a link was mailed")


@unaudited("a part of use cases that record their own events")
def send_invitation(member: Member, inviter: Actor | None = None) -> None:
    """Give an invited member a new link and queue the mail that carries it, in the open transaction.

    The mail names an inviter who is a member here; the platform and the system invite in the tenant's name.
    """
    member.issue_link(LinkPurpose.MEMBER_INVITATION, INVITATION_LIFETIME, clock.now())
    serial = str(member.link_serial)
    payload = {"member_id": str(member.id), "serial": serial}
    if inviter is not None and inviter.kind is ActorKind.MEMBER:
        payload["inviter_id"] = str(inviter.id)
    queue_mail(MailName.MEMBER_INVITATION, payload, key=f"{member.id}-{serial}")


@unaudited("a part of use cases that record their own events")
def send_reset(member: Member) -> None:
    """Give an active member a link to a new password and queue the mail that carries it, in the open transaction."""
    member.issue_link(LinkPurpose.MEMBER_RESET, RESET_LIFETIME, clock.now())
    serial = str(member.link_serial)
    payload = {"member_id": str(member.id), "serial": serial}
    queue_mail(MailName.MEMBER_PASSWORD_RESET, payload, key=f"{member.id}-{serial}")


@unaudited("a part of use cases that record their own events")
def send_nothing() -> None:
    """Queue a mail that will find nobody: asking for an address without an account takes the same work."""
    nobody = str(new_id())
    queue_mail(MailName.MEMBER_PASSWORD_RESET, {"member_id": nobody, "serial": "0"}, key=f"{nobody}-0")


def _lock_owner() -> Member:
    found = queries.find_owner()
    if found is None:
        raise StateError("This tenant has no owner yet.")
    return queries.get_member(found.id, lock=True)


def _record_owner_link(owner: Member, actor: Actor, reason: str) -> None:
    is_invited = owner.state == MemberState.INVITED
    action = AuditAction.MEMBER_REINVITED if is_invited else AuditAction.MEMBER_PASSWORD_RESET_REQUESTED
    record_event(action, target=owner.target, actor=actor, reason=reason)


def _insert(member: Member) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(member)
            db.session.flush()
    except IntegrityError as error:
        if "uq_members_tenant_id_email" not in str(error.orig):
            raise
        # The database decides, so that two invitations at once cannot make two accounts.
        raise InputError("Somebody with this e-mail address is a member already.", "email") from error
