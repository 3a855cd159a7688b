"""How a copied home gets the one owner who was chosen for it."""

from __future__ import annotations

from uuid import UUID

from app.audit.services import record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.transactions import transaction
from app.credentials.emails import normalise_email
from app.credentials.names import check_person_name
from app.members import queries
from app.members.models import Member, MemberState
from app.members.roles import RoleKey
from app.members.services.facts import request_facts
from app.members.services.invitations import invite_member, send_invitation


def hand_over_home(*, name: str, email: str, actor: Actor) -> UUID:
    """Make somebody the only owner of the running tenant and invite them; those who owned it become admins.

    Whoever has the address already keeps that account, and has to accept the invitation anew.

    Errors: InputError for an address or a name that is none.
    Effect: mail.
    """
    address = normalise_email(email)
    with transaction():
        for owner in queries.list_owners():
            _demote(owner, actor)
        found = queries.find_member_by_email(address)
        if found is None:
            return invite_member(name=name, email=address, role_key=RoleKey.OWNER, actor=actor)
        _promote(found, check_person_name(name), actor)
        request_facts()
        return found.id


def _demote(owner: Member, actor: Actor) -> None:
    owner.role = queries.get_role(RoleKey.ADMIN)
    changes = {"role": (RoleKey.OWNER.value, RoleKey.ADMIN.value)}
    record_event(AuditAction.MEMBER_ROLE_CHANGED, target=owner.target, actor=actor, changes=changes)


def _promote(member: Member, name: str, actor: Actor) -> None:
    member.role, member.state = queries.get_role(RoleKey.OWNER), MemberState.INVITED
    member.rename(name)
    send_invitation(member)
    record_event(AuditAction.MEMBER_REINVITED, target=member.target, actor=actor, reason="the copy’s owner")
