"""A member's name, role and state."""

from __future__ import annotations

from uuid import UUID

from app.audit.services import record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.transactions import transaction
from app.core.errors import StateError
from app.credentials.names import check_person_name
from app.members import queries
from app.members.models import MemberState
from app.members.services.facts import request_facts
from app.members.services.invitations import send_invitation
from app.members.services.roles import keep_an_owner, refuse_above_own_rank
from app.members.services.sessions import end_sessions, id_of


def change_role(member_id: UUID, *, role_key: str, actor: Actor) -> None:
    """Give a member another role; their next request has its permissions.

    Errors: InputError for a role that is not; ForbiddenError when somebody who is no owner gives or takes the
    owner's role; StateError for the last active owner.
    """
    with transaction():
        member = queries.get_member(member_id, lock=True)
        before, role = member.role, queries.get_role(role_key)
        refuse_above_own_rank(actor, before, role)
        if role.id == before.id:
            return
        keep_an_owner(member)
        member.role = role
        changes = {"role": (before.key, role.key)}
        record_event(AuditAction.MEMBER_ROLE_CHANGED, target=member.target, actor=actor, changes=changes)


def deactivate_member(member_id: UUID, *, actor: Actor, reason: str | None = None) -> None:
    """End a member's sessions and links and let them sign in no more; what they made stays.

    Errors: ForbiddenError when somebody who is no owner deactivates one; StateError for the last active owner, or
    for a member who is deactivated already.
    """
    with transaction():
        member = queries.get_member(member_id, lock=True)
        refuse_above_own_rank(actor, member.role)
        if member.state == MemberState.DEACTIVATED:
            raise StateError("This member is deactivated already.")
        keep_an_owner(member)
        before, member.state = member.state, MemberState.DEACTIVATED
        member.void_link()
        end_sessions(member.id)
        changes = {"state": (before, MemberState.DEACTIVATED.value)}
        action = AuditAction.MEMBER_DEACTIVATED
        record_event(action, target=member.target, actor=actor, changes=changes, reason=reason)
        request_facts()


def reactivate_member(member_id: UUID, *, actor: Actor) -> None:
    """Let a deactivated member in again: with the old password, or by a new invitation if there never was one.

    Errors: ForbiddenError when somebody who is no owner reactivates one; StateError unless deactivated.
    Effect: mail, to somebody who had not accepted.
    """
    with transaction():
        member = queries.get_member(member_id, lock=True)
        refuse_above_own_rank(actor, member.role)
        if member.state != MemberState.DEACTIVATED:
            raise StateError("This member is not deactivated.")
        member.state = MemberState.ACTIVE if member.password_hash is not None else MemberState.INVITED
        if member.state == MemberState.INVITED:
            send_invitation(member, actor)
        changes = {"state": (MemberState.DEACTIVATED.value, member.state)}
        record_event(AuditAction.MEMBER_REACTIVATED, target=member.target, actor=actor, changes=changes)
        request_facts()


def update_profile(*, name: str, actor: Actor) -> None:
    """Change the actor's own name; the same name leaves no trace.

    Errors: InputError for no name or one that is too long.
    """
    with transaction():
        member = queries.get_member(id_of(actor), lock=True)
        before = member.name
        member.rename(check_person_name(name))
        if member.name != before:
            changes = {"name": (before, member.name)}
            record_event(AuditAction.MEMBER_PROFILE_UPDATED, target=member.target, actor=actor, changes=changes)
