"""What a staff user does with their own account: the name, the password and the other sessions."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update

from app.audit.services import record_event
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import InputError
from app.credentials.names import check_person_name
from app.credentials.passwords import check_password_policy, hash_password, verify_password
from app.credentials.throttles import count_try, forgive_try, sign_in_gates
from app.staff import queries
from app.staff.models import StaffSession, StaffThrottle
from app.staff.services.sign_in import id_of

WRONG_PASSWORD = "The present password is wrong."  # noqa: S105  # A sentence.


def update_profile(*, name: str, actor: Actor) -> None:
    """Change the actor's own name; the same name leaves no trace.

    Errors: InputError for no name or one that is too long.
    """
    with transaction():
        user = queries.get_staff_user(id_of(actor), lock=True)
        before, user.name = user.name, check_person_name(name)
        if user.name != before:
            changes = {"name": (before, user.name)}
            record_event(AuditAction.STAFF_PROFILE_UPDATED, target=user.target, actor=actor, changes=changes)


def change_password(*, old_password: str, password: str, keep_session_id: UUID, actor: Actor) -> None:
    """Change the actor's own password and end their other sessions and links.

    Errors: InputError for a wrong old password or a new one that the policy refuses; ThrottledError after too many
    tries.
    """
    user = queries.get_staff_user(id_of(actor))
    check_password_policy(password, about=(user.email, user.name))
    with transaction():
        passes = count_try(StaffThrottle, sign_in_gates(user.email, actor.address or ""))
    # No transaction is open while argon2 works.
    known = user.password_hash
    if not verify_password(known, old_password):
        raise InputError(WRONG_PASSWORD, "old_password")
    encoded = hash_password(password)
    with transaction():
        user = queries.get_staff_user(user.id, lock=True)
        if not user.is_active or user.password_hash != known:
            raise InputError(WRONG_PASSWORD, "old_password")
        user.password_hash = encoded
        user.void_link()
        forgive_try(StaffThrottle, passes)
        _end_other_sessions(user.id, keep_session_id)
        record_event(AuditAction.STAFF_PASSWORD_CHANGED, target=user.target, actor=actor)


def revoke_other_sessions(*, keep_session_id: UUID, actor: Actor) -> None:
    """End all of the actor's own sessions but one."""
    with transaction():
        user = queries.get_staff_user(id_of(actor))
        _end_other_sessions(user.id, keep_session_id)
        record_event(AuditAction.STAFF_SESSION_REVOKED, target=user.target, actor=actor, reason="all others")


def _end_other_sessions(staff_user_id: UUID, keep_session_id: UUID) -> None:
    statement = update(StaffSession).where(
        StaffSession.staff_user_id == staff_user_id,
        StaffSession.id != keep_session_id,
        StaffSession.revoked_at.is_(None),
    )
    db.session.execute(statement.values(revoked_at=clock.now()), execution_options={"synchronize_session": False})
