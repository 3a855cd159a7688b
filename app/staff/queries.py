"""Reading staff users and their sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from app.audit.models import ControlAuditEvent
from app.core.database.session import db
from app.core.errors import NotFoundError
from app.core.search import normalise_search
from app.credentials.emails import fold_email
from app.credentials.link_rows import LinkError, open_link_token
from app.credentials.links import LinkPurpose
from app.credentials.rules import STAFF_SESSION
from app.credentials.sessions import hash_session_token
from app.staff.models import StaffSession, StaffState, StaffUser
from app.staff.roles import StaffRole
from app.web.opened_pages import page_opened, sort_opened
from app.web.tables import CursorValue, Page, TableState

PAGE_ROWS = 50
MOST_EVENTS = 20
SORTS = ("name", "email", "created")
DEFAULT_SORT = "name"
LAST_ADMIN = "This is the last active admin. Make somebody else an admin before you change or deactivate this one."
_SORT_VALUES: dict[str, tuple[Callable[[StaffUser], CursorValue], type]] = {
    "name": (lambda user: normalise_search(user.name), str),
    "email": (lambda user: user.email, str),
    "created": (lambda user: user.created_at, datetime),
}


@dataclass(frozen=True)
class StaffOverview:
    """What those who manage staff see of one staff user, and why they cannot change it, if so."""

    user: StaffUser
    sessions_count: int
    events: list[ControlAuditEvent]
    obstacle: str | None


def find_staff_user_by_email(email: str) -> StaffUser | None:
    """Return the staff user with an address."""
    return db.session.scalar(select(StaffUser).where(StaffUser.email.matches(email)))


def get_staff_user_by_email(email: str) -> StaffUser:
    """Return the staff user with an address.

    Errors: NotFoundError.
    """
    user = find_staff_user_by_email(email)
    if user is None:
        raise NotFoundError(f"There is no staff user “{fold_email(email)}”.")
    return user


def find_staff_user(staff_user_id: UUID) -> StaffUser | None:
    """Return a staff user, or None."""
    return db.session.get(StaffUser, staff_user_id)


def get_staff_user(staff_user_id: UUID, *, lock: bool = False) -> StaffUser:
    """Return a staff user, locked until the transaction ends if asked.

    Errors: NotFoundError.
    """
    user = db.session.get(StaffUser, staff_user_id, with_for_update=lock or None, populate_existing=lock)
    if user is None:
        raise NotFoundError("There is no such staff user.")
    return user


def get_staff_user_by_link(token: str, purpose: LinkPurpose, now: datetime, *, lock: bool = False) -> StaffUser:
    """Return the staff user whose link of a purpose this token is.

    Errors: LinkError for a link that cannot be used, whatever the reason.
    """
    staff_user_id, serial = open_link_token(token, purpose)
    user = db.session.get(StaffUser, staff_user_id, with_for_update=lock or None, populate_existing=lock)
    if user is None or not user.is_active or not user.has_link(purpose, serial, now):
        raise LinkError
    return user


def list_staff_users() -> list[StaffUser]:
    """Return every staff user by name."""
    return sorted(db.session.scalars(select(StaffUser)), key=lambda user: (normalise_search(user.name), user.id))


def list_staff_page(state: TableState) -> Page[StaffUser]:
    """Return a page of staff users whose name or address begins with the search text, by state and role if filtered.

    Staff are few: every one of them is opened for it.
    """
    value, kind = _SORT_VALUES[state.sort]
    return page_opened(_search(state), state, value, kind, _id_of, limit=PAGE_ROWS)


def iterate_staff_users(state: TableState) -> Iterator[StaffUser]:
    """Yield every staff user that search and filters leave, in order."""
    value, _kind = _SORT_VALUES[state.sort]
    yield from sort_opened(_search(state), value, _id_of, descending=state.descending)


def count_staff_users() -> dict[str, int]:
    """Return how many staff users there are in each state; states without any are missing."""
    rows = db.session.execute(select(StaffUser.state, func.count()).group_by(StaffUser.state))
    return {row[0]: row[1] for row in rows}


def get_staff_overview(staff_user_id: UUID, now: datetime) -> StaffOverview:
    """Return what the page of one staff user shows.

    Errors: NotFoundError.
    """
    user = get_staff_user(staff_user_id)
    is_last = user.is_admin and user.is_active and list_active_admin_ids() == [user.id]
    sessions_count = len(list_live_sessions(user.id, now))
    return StaffOverview(user, sessions_count, list_staff_events(user.id), LAST_ADMIN if is_last else None)


def list_staff_events(staff_user_id: UUID) -> list[ControlAuditEvent]:
    """Return the latest of what happened to a staff user's account, newest first."""
    statement = select(ControlAuditEvent).where(
        ControlAuditEvent.target_kind == "staff_user", ControlAuditEvent.target_id == staff_user_id
    )
    newest = statement.order_by(ControlAuditEvent.at.desc(), ControlAuditEvent.id.desc())
    return list(db.session.scalars(newest.limit(MOST_EVENTS)))


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


def _search(state: TableState) -> list[StaffUser]:
    statement = select(StaffUser)
    for name, column in (("state", StaffUser.state), ("role", StaffUser.role)):
        if name in state.filters:
            statement = statement.where(column == state.filters[name])
    text = normalise_search(state.search)
    users = db.session.scalars(statement)
    return [user for user in users if user.email.startswith(text) or normalise_search(user.name).startswith(text)]


def _id_of(user: StaffUser) -> UUID:
    return user.id
