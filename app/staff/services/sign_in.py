"""Getting in and out of the platform's portal."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update

from app.audit.services import Target, record_event, unaudited
from app.core import clock
from app.core.actors import Actor, ActorKind
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import InputError
from app.credentials.emails import fold_email
from app.credentials.links import LinkPurpose
from app.credentials.passwords import check_password_policy, hash_password, needs_rehash, verify_password
from app.credentials.rules import STAFF_SESSION
from app.credentials.sessions import KEPT_AFTER_END, SEEN_EVERY, Visit, make_session_token, session_values
from app.credentials.throttles import clear_account, count_try, forgive_try, sign_in_gates
from app.staff import queries
from app.staff.models import StaffSession, StaffThrottle, StaffUser
from app.staff.services.accounts import revoke_sessions

WRONG = "The e-mail address or the password is wrong."
_UNKNOWN = Target("staff_user", None, "unknown address")


def sign_in(*, email: str, password: str, visit: Visit) -> str:
    """Open a session for a staff user who knows the password, and return its token.

    An unknown address takes the same work and gets the same answer as a wrong password.

    Errors: ThrottledError after too many failures of the account or the address; InputError for every other reason.
    """
    address = fold_email(email)
    with transaction():
        passes = count_try(StaffThrottle, sign_in_gates(address, visit.address))
        user = queries.find_staff_user_by_email(address)
    # No transaction is open while argon2 works.
    known = user.password_hash if user is not None and user.is_active else None
    proven = verify_password(known, password)
    if user is None or known is None or not proven:
        _record_failure(user, visit)
        raise InputError(WRONG)
    encoded = hash_password(password) if needs_rehash(known) else known
    with transaction():
        user = queries.get_staff_user(user.id, lock=True)
        if not user.is_active or user.password_hash != known:
            raise InputError(WRONG)
        user.password_hash = encoded
        forgive_try(StaffThrottle, passes)
        return _open_session(user, visit)


def accept_link(token: str, *, password: str, visit: Visit) -> str:
    """Spend a one-time link: set the password, end older sessions, open a new one and return its token.

    Errors: LinkError for a link that cannot be used; InputError for a password that the policy refuses.
    """
    return _choose_password(token, LinkPurpose.STAFF_SIGN_IN, password, visit, "by a sign-in link")


def reset_password(token: str, *, password: str, visit: Visit) -> str:
    """Spend a reset link: set the password, end older sessions, open a new one and return its token.

    Errors: LinkError for a link that cannot be used; InputError for a password that the policy refuses.
    """
    return _choose_password(token, LinkPurpose.STAFF_RESET, password, visit, "by a reset link")


def sign_out(session_id: UUID, *, actor: Actor) -> None:
    """End the session that its own browser leaves.

    Errors: NotFoundError for a session that is not the actor's.
    """
    _end_session(session_id, AuditAction.STAFF_SIGNED_OUT, actor)


def revoke_session(session_id: UUID, *, actor: Actor) -> None:
    """End another of the actor's own sessions.

    Errors: NotFoundError for a session that is not the actor's.
    """
    _end_session(session_id, AuditAction.STAFF_SESSION_REVOKED, actor)


@unaudited("a note that a session is in use, at most once a minute")
def mark_session_seen(session_id: UUID) -> None:
    """Note that a session is in use; of several requests at once only one writes."""
    now = clock.now()
    statement = update(StaffSession).where(StaffSession.id == session_id, StaffSession.seen_at <= now - SEEN_EVERY)
    with transaction():
        db.session.execute(statement.values(seen_at=now), execution_options={"synchronize_session": False})


@unaudited("it only names who acts")
def id_of(actor: Actor) -> UUID:
    """Return whose account a staff user acts on: their own."""
    assert actor.id is not None  # noqa: S101  # Only somebody with an account has sessions to end.
    return actor.id


def _choose_password(token: str, purpose: LinkPurpose, password: str, visit: Visit, reason: str) -> str:
    with transaction():
        user = queries.get_staff_user_by_link(token, purpose, clock.now())
    check_password_policy(password, about=(user.email, user.name))
    encoded = hash_password(password)
    with transaction():
        user = queries.get_staff_user_by_link(token, purpose, clock.now(), lock=True)
        user.use_link(clock.now())
        user.password_hash = encoded
        revoke_sessions(user.id)
        clear_account(StaffThrottle, user.email)
        actor = _actor_of(user, visit)
        record_event(AuditAction.STAFF_PASSWORD_CHANGED, target=user.target, actor=actor, reason=reason)
        return _open_session(user, visit)


def _open_session(user: StaffUser, visit: Visit) -> str:
    now, token = clock.now(), make_session_token()
    user.last_signed_in_at = now
    _forget_ended_sessions(user.id, now)
    db.session.add(StaffSession(staff_user_id=user.id, **session_values(token, visit, STAFF_SESSION, now)))
    record_event(AuditAction.STAFF_SIGNED_IN, target=user.target, actor=_actor_of(user, visit))
    return token


def _forget_ended_sessions(staff_user_id: UUID, now: datetime) -> None:
    old = delete(StaffSession).where(
        StaffSession.staff_user_id == staff_user_id, StaffSession.expires_at < now - KEPT_AFTER_END
    )
    db.session.execute(old, execution_options={"synchronize_session": False})


def _end_session(session_id: UUID, action: AuditAction, actor: Actor) -> None:
    with transaction():
        user = queries.get_staff_user(id_of(actor))
        queries.get_session(user.id, session_id).revoke(clock.now())
        record_event(action, target=user.target, actor=actor)


def _record_failure(user: StaffUser | None, visit: Visit) -> None:
    # What was typed is not recorded: it may be a password in the wrong field.
    with transaction():
        target = user.target if user is not None else _UNKNOWN
        record_event(AuditAction.STAFF_SIGN_IN_FAILED, target=target, actor=Actor.visitor(visit.address))


def _actor_of(user: StaffUser, visit: Visit) -> Actor:
    return Actor(ActorKind.STAFF, user.email, user.id, visit.address)
