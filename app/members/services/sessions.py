"""Getting in and out of a tenant's portal."""

from __future__ import annotations

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
from app.credentials.passwords import hash_password, needs_rehash, verify_password
from app.credentials.rules import MEMBER_SESSION
from app.credentials.sessions import KEPT_AFTER_END, SEEN_EVERY, Visit, make_session_token, session_values
from app.credentials.throttles import count_try, forgive_try, sign_in_gates
from app.members import queries
from app.members.models import Member, MemberSession, MemberThrottle
from app.members.services.facts import request_facts

WRONG = "The e-mail address or the password is wrong."
UNKNOWN = Target("member", None, "unknown address")


def sign_in(*, email: str, password: str, visit: Visit) -> str:
    """Open a session for a member who knows the password, and return its token.

    An unknown address takes the same work and gets the same answer as a wrong password.

    Errors: ThrottledError after too many failures of the account or the address; InputError for every other reason.
    """
    address = fold_email(email)
    with transaction():
        passes = count_try(MemberThrottle, sign_in_gates(address, visit.address))
        member = queries.find_member_by_email(address)
    # No transaction is open while argon2 works.
    known = member.password_hash if member is not None and member.is_active else None
    proven = verify_password(known, password)
    if member is None or known is None or not proven:
        _record_failure(member, visit)
        raise InputError(WRONG)
    encoded = hash_password(password) if needs_rehash(known) else known
    with transaction():
        member = queries.get_member(member.id, lock=True)
        if not member.is_active or member.password_hash != known:
            raise InputError(WRONG)
        member.password_hash = encoded
        forgive_try(MemberThrottle, passes)
        return open_session(member, visit)


def sign_out(session_id: UUID, *, actor: Actor) -> None:
    """End the session that its own browser leaves.

    Errors: NotFoundError for a session that is not the actor's.
    """
    _end_session(session_id, AuditAction.MEMBER_SIGNED_OUT, actor)


def revoke_session(session_id: UUID, *, actor: Actor) -> None:
    """End another of the actor's own sessions.

    Errors: NotFoundError for a session that is not the actor's.
    """
    _end_session(session_id, AuditAction.MEMBER_SESSION_REVOKED, actor)


def revoke_other_sessions(*, keep_session_id: UUID, actor: Actor) -> None:
    """End all of the actor's own sessions but one."""
    with transaction():
        member = queries.get_member(id_of(actor))
        end_sessions(member.id, keep_session_id=keep_session_id)
        record_event(AuditAction.MEMBER_SESSION_REVOKED, target=member.target, actor=actor, reason="all others")


@unaudited("a note that a session is in use, at most once a minute")
def mark_session_seen(session_id: UUID) -> None:
    """Note that a session is in use; of several requests at once only one writes."""
    now = clock.now()
    statement = update(MemberSession).where(MemberSession.id == session_id, MemberSession.seen_at <= now - SEEN_EVERY)
    with transaction():
        db.session.execute(statement.values(seen_at=now), execution_options={"synchronize_session": False})


def open_session(member: Member, visit: Visit) -> str:
    """Write a session with its event in the open transaction, and return its token."""
    now, token = clock.now(), make_session_token()
    member.last_signed_in_at = now
    old = MemberSession.expires_at < now - KEPT_AFTER_END
    forgotten = delete(MemberSession).where(MemberSession.member_id == member.id, old)
    db.session.execute(forgotten, execution_options={"synchronize_session": False})
    db.session.add(MemberSession(member_id=member.id, **session_values(token, visit, MEMBER_SESSION, now)))
    record_event(AuditAction.MEMBER_SIGNED_IN, target=member.target, actor=member_actor(member, visit))
    request_facts()
    return token


@unaudited("a part of use cases that record their own events")
def end_sessions(member_id: UUID, *, keep_session_id: UUID | None = None) -> None:
    """End a member's sessions in the open transaction of the use case that wants it."""
    statement = update(MemberSession).where(MemberSession.member_id == member_id, MemberSession.revoked_at.is_(None))
    if keep_session_id is not None:
        statement = statement.where(MemberSession.id != keep_session_id)
    db.session.execute(statement.values(revoked_at=clock.now()), execution_options={"synchronize_session": False})


@unaudited("it only names who acts")
def member_actor(member: Member, visit: Visit) -> Actor:
    """Return the actor that somebody has just proven to be."""
    return Actor(ActorKind.MEMBER, member.email, member.id, visit.address)


@unaudited("it only names who acts")
def id_of(actor: Actor) -> UUID:
    """Return the member who acts; only use cases about oneself ask."""
    assert actor.id is not None  # noqa: S101  # A signed-in member has an id.
    return actor.id


def _end_session(session_id: UUID, action: AuditAction, actor: Actor) -> None:
    with transaction():
        member = queries.get_member(id_of(actor))
        queries.get_session(member.id, session_id).revoke(clock.now())
        record_event(action, target=member.target, actor=actor)


def _record_failure(member: Member | None, visit: Visit) -> None:
    # What was typed is not recorded: it may be a password in the wrong field.
    with transaction():
        target = member.target if member is not None else UNKNOWN
        record_event(AuditAction.MEMBER_SIGN_IN_FAILED, target=target, actor=Actor.visitor(visit.address))
