"""Reading members, their roles and their sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, tuple_

from app.audit.models import HomeAuditEvent
from app.core.database.session import db
from app.core.errors import InputError, NotFoundError
from app.core.search import normalise_search
from app.credentials.emails import fold_email
from app.credentials.link_rows import LinkError, open_link_token
from app.credentials.links import LinkPurpose
from app.credentials.rules import MEMBER_SESSION
from app.credentials.sessions import hash_session_token
from app.members.models import Member, MemberSession, MemberState, Role
from app.members.roles import RoleKey
from app.web.tables import Cursor, Page, TableState, build_page, decode_cursor

PAGE_ROWS = 50
EXPORT_BATCH_ROWS = 500
MOST_EVENTS = 20
SORTS = ("name", "email", "created")
DEFAULT_SORT = "name"
_SORT_COLUMNS: dict[str, tuple[Any, type]] = {
    "name": (Member.name_search, str),
    "email": (Member.email, str),
    "created": (Member.created_at, datetime),
}
NOT_YOUR_RANK = "Only an owner can change an owner’s role or end their membership."
LAST_OWNER = "This is the last active owner. Make somebody else an owner before you change or deactivate this one."


@dataclass(frozen=True)
class MemberOverview:
    """What those who manage members see of one, and why they cannot change it, if so."""

    member: Member
    sessions_count: int
    events: list[HomeAuditEvent]
    roles: list[Role]
    obstacle: str | None


def find_member_by_email(email: str) -> Member | None:
    """Return the running tenant's member with an address; the only place where members are found by e-mail."""
    return db.session.scalar(select(Member).where(Member.email == fold_email(email)))


def get_member(member_id: UUID, *, lock: bool = False) -> Member:
    """Return a member with their role, locked until the transaction ends if asked.

    Errors: NotFoundError; another tenant's member does not exist either.
    """
    statement = select(Member).where(Member.id == member_id)
    if lock:
        statement = statement.with_for_update(of=Member).execution_options(populate_existing=True)
    member = db.session.scalar(statement)
    if member is None:
        raise NotFoundError("There is no such member.")
    return member


def get_member_overview(member_id: UUID, *, viewer_id: UUID, now: datetime) -> MemberOverview:
    """Return what the page of one member shows to the member who opens it.

    Errors: NotFoundError.
    """
    member, viewer = get_member(member_id), get_member(viewer_id)
    obstacle = None
    if member.role.is_owner and not viewer.role.is_owner:
        obstacle = NOT_YOUR_RANK
    elif member.role.is_owner and not has_other_active_owner(member.id):
        obstacle = LAST_OWNER
    sessions_count = len(list_live_sessions(member.id, now))
    return MemberOverview(member, sessions_count, list_member_events(member.id), list_roles_to_give(viewer), obstacle)


def get_role(key: str, *, lock: bool = False) -> Role:
    """Return a role by its key.

    Errors: InputError on the field `role`, naming the roles that exist.
    """
    statement = select(Role).where(Role.key == key)
    # Whoever locks the role does not hold up those who only point at it.
    role = db.session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if role is None:
        known = ", ".join(role.key for role in list_roles())
        raise InputError(f"There is no role “{key}”; choose one of {known}.", "role")
    return role


def list_roles() -> list[Role]:
    """Return the running tenant's roles, the built-in ones first and in their order."""
    order = {key.value: position for position, key in enumerate(RoleKey)}
    return sorted(db.session.scalars(select(Role)), key=lambda role: (order.get(role.key, len(order)), role.name))


def list_roles_to_give(viewer: Member) -> list[Role]:
    """Return the roles that a member can hand out: only owners hand out the owner's."""
    return [role for role in list_roles() if viewer.role.is_owner or not role.is_owner]


def get_member_by_link(token: str, purpose: LinkPurpose, now: datetime, *, lock: bool = False) -> Member:
    """Return the member whose link of a purpose this token is.

    Errors: LinkError for a link that cannot be used, whatever the reason; another tenant's is none here.
    """
    member_id, serial = open_link_token(token, purpose)
    try:
        member = get_member(member_id, lock=lock)
    except NotFoundError:
        raise LinkError from None
    if member.state == MemberState.DEACTIVATED or not member.has_link(purpose, serial, now):
        raise LinkError
    return member


def list_members(state: TableState) -> Page[Member]:
    """Return a page of members whose name or address begins with the search text, by state and role if filtered."""
    column, kind = _SORT_COLUMNS[state.sort or DEFAULT_SORT]
    cursor = decode_cursor(state.cursor, state.sort, (kind, UUID))
    statement = _filtered(select(Member), state)
    if cursor is not None:
        statement = statement.where(_is_behind(column, cursor, descending=state.descending))
    descending = state.descending != (cursor is not None and cursor.backward)
    order = (column.desc(), Member.id.desc()) if descending else (column, Member.id)
    rows = db.session.scalars(statement.order_by(*order).limit(PAGE_ROWS + 1)).all()
    return build_page(
        rows, limit=PAGE_ROWS, cursor=cursor, sort=state.sort, values=lambda row: (getattr(row, column.key), row.id)
    )


def iterate_members(state: TableState) -> Iterator[Member]:
    """Yield every member that search and filters leave, in order, a batch in memory at a time."""
    column, _kind = _SORT_COLUMNS[state.sort or DEFAULT_SORT]
    order = (column.desc(), Member.id.desc()) if state.descending else (column, Member.id)
    statement = _filtered(select(Member), state).order_by(*order)
    yield from db.session.scalars(statement.execution_options(yield_per=EXPORT_BATCH_ROWS))


def list_member_events(member_id: UUID) -> list[HomeAuditEvent]:
    """Return the latest of what happened to a member's account, newest first."""
    statement = select(HomeAuditEvent).where(
        HomeAuditEvent.target_kind == "member", HomeAuditEvent.target_id == member_id
    )
    newest = statement.order_by(HomeAuditEvent.at.desc(), HomeAuditEvent.id.desc())
    return list(db.session.scalars(newest.limit(MOST_EVENTS)))


def count_members() -> dict[str, int]:
    """Return how many members there are in each state; states without any are missing."""
    rows = db.session.execute(select(Member.state, func.count()).group_by(Member.state))
    return {row[0]: row[1] for row in rows}


def find_last_sign_in() -> datetime | None:
    """Return when somebody last signed in."""
    return db.session.scalar(select(func.max(Member.last_signed_in_at)))


def find_owner() -> Member | None:
    """Return the owner to turn to: an active one before one who is still invited, the first of them."""
    statement = (
        select(Member)
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(Role.key == RoleKey.OWNER, Member.state != MemberState.DEACTIVATED)
    )
    by_state = case((Member.state == MemberState.ACTIVE, 0), else_=1)
    return db.session.scalars(statement.order_by(by_state, Member.created_at, Member.id).limit(1)).first()


def list_owners() -> list[Member]:
    """Return everybody who has the owner's role, whatever their state."""
    statement = select(Member).join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
    return list(db.session.scalars(statement.where(Role.key == RoleKey.OWNER).order_by(Member.id)))


def has_other_active_owner(member_id: UUID) -> bool:
    """Tell whether an active owner remains without this member."""
    statement = (
        select(Member.id)
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(Role.key == RoleKey.OWNER, Member.state == MemberState.ACTIVE, Member.id != member_id)
    )
    return db.session.scalar(statement.limit(1)) is not None


def find_live_session(token: str, host: str, now: datetime) -> tuple[MemberSession, Member] | None:
    """Return the session that a cookie's token opens on this host, with its active member and role; one query."""
    statement = (
        select(MemberSession, Member)
        .join(Member, and_(Member.tenant_id == MemberSession.tenant_id, Member.id == MemberSession.member_id))
        .where(
            MemberSession.token_hash == hash_session_token(token),
            MemberSession.host == host,
            Member.state == MemberState.ACTIVE,
        )
    )
    row = db.session.execute(statement).first()
    return (row[0], row[1]) if row is not None and row[0].is_live(MEMBER_SESSION, now) else None


def list_live_sessions(member_id: UUID, now: datetime) -> list[MemberSession]:
    """Return a member's live sessions, the last used first."""
    statement = select(MemberSession).where(
        MemberSession.member_id == member_id, MemberSession.revoked_at.is_(None), MemberSession.expires_at > now
    )
    sessions = db.session.scalars(statement.order_by(MemberSession.seen_at.desc(), MemberSession.id))
    return [session for session in sessions if session.is_live(MEMBER_SESSION, now)]


def get_session(member_id: UUID, session_id: UUID) -> MemberSession:
    """Return one of a member's sessions.

    Errors: NotFoundError; somebody else's session does not exist either.
    """
    statement = select(MemberSession).where(MemberSession.id == session_id, MemberSession.member_id == member_id)
    session = db.session.scalar(statement)
    if session is None:
        raise NotFoundError("There is no such session.")
    return session


def _filtered(statement: Select[Member], state: TableState) -> Select[Member]:
    if state.search:
        text = normalise_search(state.search)
        # ^@ finds a prefix through the indexes; LIKE cannot reach them under row-level security.
        statement = statement.where(or_(Member.name_search.op("^@")(text), Member.email.op("^@")(text)))
    if "state" in state.filters:
        statement = statement.where(Member.state == state.filters["state"])
    if "role" in state.filters:
        role_id = select(Role.id).where(Role.key == state.filters["role"]).scalar_subquery()
        statement = statement.where(Member.role_id == role_id)
    return statement


def _is_behind(column: Any, cursor: Cursor, *, descending: bool) -> ColumnElement[bool]:
    here = tuple_(column, Member.id)
    there = tuple_(*(literal(value) for value in cursor.values))
    return here < there if descending != cursor.backward else here > there
