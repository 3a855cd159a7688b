"""The roles that every tenant begins with, and who may hand out which."""

from __future__ import annotations

from app.audit.services import Target, record_event, unaudited
from app.core.actors import Actor, ActorKind
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import ForbiddenError, StateError
from app.members import queries
from app.members.models import Member, Role
from app.members.roles import BUILT_IN_ROLES, RoleKey

_TARGET = Target("roles", None, "Roles")


def create_default_roles(*, actor: Actor) -> None:
    """Write the built-in roles that the running tenant lacks; existing ones stay as they are."""
    with transaction():
        present = {role.key for role in queries.list_roles()}
        missing = [role for role in BUILT_IN_ROLES if role.key not in present]
        for role in missing:
            permissions = sorted(permission.value for permission in role.permissions)
            db.session.add(Role(key=role.key.value, name=role.name, permissions=permissions, built_in=True))
        if missing:
            names = [role.key.value for role in missing]
            record_event(AuditAction.ROLES_CREATED, target=_TARGET, actor=actor, changes={"roles": (None, names)})


@unaudited("a check; it writes nothing")
def refuse_above_own_rank(actor: Actor, *roles: Role) -> None:
    """Let only owners, staff and the system give or take the owner's role.

    Errors: ForbiddenError.
    """
    if actor.kind is not ActorKind.MEMBER or not any(role.is_owner for role in roles):
        return
    if actor.id is None or not queries.get_member(actor.id).role.is_owner:
        raise ForbiddenError("Only an owner can give or take the owner’s role.")


@unaudited("a check; it writes nothing")
def keep_an_owner(member: Member) -> None:
    """Refuse to lose the tenant's last active owner; call it inside the transaction, before the change.

    The owner's role is locked, so that two owners who remove each other act one after the other, and the count is
    read after the lock.

    Errors: StateError.
    """
    queries.get_role(RoleKey.OWNER, lock=True)
    if member.role.is_owner and not queries.has_other_active_owner(member.id):
        raise StateError("This is the last active owner; make somebody else an owner first.")
