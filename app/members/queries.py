"""Reading members, their roles and their sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select

from app.core.database.session import db
from app.core.errors import InputError, NotFoundError
from app.credentials.emails import fold_email
from app.members.models import Member, MemberState, Role
from app.members.roles import RoleKey

PAGE_ROWS = 50
SORTS = ("name", "email", "created")
DEFAULT_SORT = "name"
_SORT_COLUMNS: dict[str, tuple[Any, type]] = {
    "name": (Member.name_search, str),
    "email": (Member.email, str),
    "created": (Member.created_at, datetime),
}


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


def has_other_active_owner(member_id: UUID) -> bool:
    """Tell whether an active owner remains without this member."""
    statement = (
        select(Member.id)
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(Role.key == RoleKey.OWNER, Member.state == MemberState.ACTIVE, Member.id != member_id)
    )
    return db.session.scalar(statement.limit(1)) is not None
