"""The members page's reads without tenancy: the same statements, the tenant written into each by hand."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.credentials.rules import MEMBER_SESSION
from app.credentials.sessions import hash_session_token
from app.members.models import Member, MemberSession, MemberState, Role
from app.members.queries import PAGE_ROWS
from app.members.roles import RoleKey
from app.tenants.models import Tenant
from app.web.tables import Page, build_page


def find_live_session(
    session: Session, tenant_id: UUID, token: str, host: str, now: datetime
) -> tuple[MemberSession, Member] | None:
    """Return the session that a token opens, with its member and role."""
    statement = (
        select(MemberSession, Member)
        .join(Member, and_(Member.tenant_id == MemberSession.tenant_id, Member.id == MemberSession.member_id))
        .where(
            MemberSession.tenant_id == tenant_id,
            MemberSession.token_hash == hash_session_token(token),
            MemberSession.host == host,
            Member.state == MemberState.ACTIVE,
        )
    )
    row = session.execute(statement).first()
    return (row[0], row[1]) if row is not None and row[0].is_live(MEMBER_SESSION, now) else None


def get_tenant(session: Session, tenant_id: UUID) -> Tenant:
    """Return the tenant with its plan."""
    return session.scalars(select(Tenant).where(Tenant.id == tenant_id)).one()


def count_members(session: Session, tenant_id: UUID) -> dict[str, int]:
    """Return how many members there are in each state."""
    statement = select(Member.state, func.count()).where(Member.tenant_id == tenant_id).group_by(Member.state)
    return {row[0]: row[1] for row in session.execute(statement)}


def list_roles(session: Session, tenant_id: UUID) -> list[Role]:
    """Return the roles in their order."""
    order = {key.value: position for position, key in enumerate(RoleKey)}
    roles = session.scalars(select(Role).where(Role.tenant_id == tenant_id))
    return sorted(roles, key=lambda role: (order.get(role.key, len(order)), role.name))


def list_members(session: Session, tenant_id: UUID) -> Page[Member]:
    """Return the first page by name."""
    statement = select(Member).where(Member.tenant_id == tenant_id)
    ordered = statement.order_by(Member.name_search, Member.id).limit(PAGE_ROWS + 1)
    rows = session.scalars(ordered).all()
    return build_page(rows, limit=PAGE_ROWS, cursor=None, sort="name", values=lambda row: (row.name_search, row.id))
