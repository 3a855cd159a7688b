"""The tables of a tenant's roles, members, their sessions and throttles."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, Relationship, mapped_column

from app.audit.services import Target
from app.core.database.models import HomeRecord, created_at
from app.core.permissions import Permission
from app.core.search import normalise_search
from app.core.tenancy.relationships import tenant_relationship
from app.credentials.link_rows import LinkColumns
from app.credentials.sessions import SessionColumns
from app.credentials.throttles import ThrottleColumns
from app.members.roles import RoleKey

_TENANT = {"schema": "tenant"}


class MemberState(StrEnum):
    """Whether a member has accepted the invitation, and may still sign in."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class Role(HomeRecord):
    """A named set of permissions within one tenant."""

    __tablename__ = "roles"
    __table_args__: Any = (UniqueConstraint("tenant_id", "key"), _TENANT)

    key: Mapped[str]
    name: Mapped[str]
    permissions: Mapped[list[str]]
    built_in: Mapped[bool] = mapped_column(default=False)

    @property
    def is_owner(self) -> bool:
        return self.key == RoleKey.OWNER

    @property
    def granted(self) -> frozenset[Permission]:
        """Return the permissions that this release knows; a row may come from a newer one."""
        return frozenset(item for item in Permission if item in self.permissions)


class Member(LinkColumns, HomeRecord):
    """Somebody's account at one tenant; the same address at another tenant is another account."""

    __tablename__ = "members"
    __table_args__: Any = (
        UniqueConstraint("tenant_id", "email"),
        ForeignKeyConstraint(
            ["tenant_id", "role_id"], ["tenant.roles.tenant_id", "tenant.roles.id"], ondelete="RESTRICT"
        ),
        Index("ix_members_tenant_id_name_search_id", "tenant_id", "name_search", "id"),
        Index("ix_members_tenant_id_created_at_id", "tenant_id", "created_at", "id"),
        Index("ix_members_tenant_id_role_id", "tenant_id", "role_id"),
        _TENANT,
    )

    email: Mapped[str]
    name: Mapped[str]
    name_search: Mapped[str]
    role_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(default=MemberState.INVITED)
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime] = created_at()
    last_signed_in_at: Mapped[datetime | None]

    role: Relationship[Role] = tenant_relationship(
        lambda: Role, lambda: Member, "role_id", lazy="joined", innerjoin=True
    )

    @property
    def target(self) -> Target:
        return Target("member", self.id, self.email)

    @property
    def is_active(self) -> bool:
        return self.state == MemberState.ACTIVE

    def rename(self, name: str) -> None:
        """Take another name, searchable at once."""
        self.name, self.name_search = name, normalise_search(name)


class MemberSession(SessionColumns, HomeRecord):
    """One signed-in browser of a member."""

    __tablename__ = "member_sessions"
    __table_args__: Any = (
        UniqueConstraint("tenant_id", "token_hash"),
        ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["tenant.members.tenant_id", "tenant.members.id"], ondelete="CASCADE"
        ),
        Index("ix_member_sessions_tenant_id_member_id", "tenant_id", "member_id"),
        _TENANT,
    )

    member_id: Mapped[UUID]


class MemberThrottle(ThrottleColumns, HomeRecord):
    """The failures of one account or address at one tenant."""

    __tablename__ = "member_throttles"
    __table_args__: Any = (
        UniqueConstraint("tenant_id", "key"),
        Index("ix_member_throttles_tenant_id_last_failed_at", "tenant_id", "last_failed_at"),
        _TENANT,
    )

    unique_columns = ("tenant_id", "key")
