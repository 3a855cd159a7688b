"""Reading staff users and their sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.core.database.session import db
from app.core.errors import NotFoundError
from app.credentials.emails import fold_email
from app.credentials.link_rows import LinkError, open_link_token
from app.credentials.links import LinkPurpose
from app.credentials.rules import STAFF_SESSION
from app.credentials.sessions import hash_session_token
from app.staff.models import StaffSession, StaffState, StaffUser
from app.staff.roles import StaffRole


def find_staff_user_by_email(email: str) -> StaffUser | None:
    """Return the staff user with an address."""
    return db.session.scalar(select(StaffUser).where(StaffUser.email == fold_email(email)))


def get_staff_user_by_email(email: str) -> StaffUser:
    """Return the staff user with an address.

    Errors: NotFoundError.
    """
    user = find_staff_user_by_email(email)
    if user is None:
        raise NotFoundError(f"There is no staff user “{fold_email(email)}”.")
    return user


def get_staff_user(staff_user_id: UUID, *, lock: bool = False) -> StaffUser:
    """Return a staff user, locked until the transaction ends if asked.

    Errors: NotFoundError.
    """
    user = db.session.get(StaffUser, staff_user_id, with_for_update=lock or None, populate_existing=lock)
    if user is None:
        raise NotFoundError("There is no such staff user.")
    return user


def get_staff_user_by_link(token: str, now: datetime, *, lock: bool = False) -> StaffUser:
    """Return the staff user whose sign-in link this token is.

    Errors: LinkError for a link that cannot be used, whatever the reason.
    """
    staff_user_id, serial = open_link_token(token, LinkPurpose.STAFF_SIGN_IN)
    user = db.session.get(StaffUser, staff_user_id, with_for_update=lock or None, populate_existing=lock)
    if user is None or not user.is_active or not user.has_link(LinkPurpose.STAFF_SIGN_IN, serial, now):
        raise LinkError
    return user


def list_staff_users() -> list[StaffUser]:
    """Return every staff user by name."""
    return list(db.session.scalars(select(StaffUser).order_by(StaffUser.name, StaffUser.id)))


def find_first_admin() -> StaffUser | None:
    """Return the active admin who has been here longest."""
    statement = select(StaffUser).where(StaffUser.role == StaffRole.ADMIN, StaffUser.state == StaffState.ACTIVE)
    return db.session.scalars(statement.order_by(StaffUser.created_at, StaffUser.id).limit(1)).first()


def has_admin_who_signed_in() -> bool:
    """Tell whether an active admin has ever signed in."""
    statement = select(StaffUser.id).where(
        StaffUser.role == StaffRole.ADMIN,
        StaffUser.state == StaffState.ACTIVE,
        StaffUser.last_signed_in_at.is_not(None),
    )
    return db.session.scalar(statement.limit(1)) is not None


def list_active_admin_ids(*, lock: bool = False) -> list[UUID]:
    """Return the active admins, locked in one order until the transaction ends if asked.

    PostgreSQL judges a row again when its lock was waited for, so an admin whom another transaction has just
    deactivated is not among them.
    """
    statement = select(StaffUser.id).where(StaffUser.role == StaffRole.ADMIN, StaffUser.state == StaffState.ACTIVE)
    ordered = statement.order_by(StaffUser.id)
    return list(db.session.scalars(ordered.with_for_update() if lock else ordered))


def find_live_session(token: str, host: str, now: datetime) -> tuple[StaffSession, StaffUser] | None:
    """Return the session that a cookie's token opens on this host, with its active staff user; one query."""
    statement = (
        select(StaffSession, StaffUser)
        .join(StaffUser, StaffUser.id == StaffSession.staff_user_id)
        .where(
            StaffSession.token_hash == hash_session_token(token),
            StaffSession.host == host,
            StaffUser.state == StaffState.ACTIVE,
        )
    )
    row = db.session.execute(statement).first()
    return (row[0], row[1]) if row is not None and row[0].is_live(STAFF_SESSION, now) else None


def list_live_sessions(staff_user_id: UUID, now: datetime) -> list[StaffSession]:
    """Return a staff user's live sessions, the last used first."""
    statement = select(StaffSession).where(
        StaffSession.staff_user_id == staff_user_id, StaffSession.revoked_at.is_(None), StaffSession.expires_at > now
    )
    sessions = db.session.scalars(statement.order_by(StaffSession.seen_at.desc(), StaffSession.id))
    return [session for session in sessions if session.is_live(STAFF_SESSION, now)]


def get_session(staff_user_id: UUID, session_id: UUID) -> StaffSession:
    """Return one of a staff user's sessions.

    Errors: NotFoundError; somebody else's session does not exist either.
    """
    session = db.session.get(StaffSession, session_id)
    if session is None or session.staff_user_id != staff_user_id:
        raise NotFoundError("There is no such session.")
    return session
