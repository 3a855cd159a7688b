"""The tables of staff users, their sessions and the throttles of the platform's host."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.audit.services import Target
from app.core.data_classes import DataClass
from app.core.database.models import ControlRecord, Record, created_at
from app.core.encryption.attributes import encrypted
from app.credentials.emails import fold_email
from app.credentials.link_rows import LinkColumns
from app.credentials.sessions import SessionColumns
from app.credentials.throttles import ThrottleColumns
from app.staff.roles import StaffRole


class StaffState(StrEnum):
    """Whether a staff user may sign in."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class StaffUser(LinkColumns, ControlRecord):
    """Somebody who works for the platform."""

    __tablename__ = "staff_users"
    __table_args__: Any = (
        UniqueConstraint("email_index"),
        UniqueConstraint("email_index_next"),
        {"schema": "control"},
    )

    email = encrypted(data_class=DataClass.PERSONAL, index=fold_email)
    name = encrypted(data_class=DataClass.PERSONAL)
    role: Mapped[str]
    state: Mapped[str] = mapped_column(default=StaffState.ACTIVE)
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime] = created_at()
    last_signed_in_at: Mapped[datetime | None]

    @property
    def target(self) -> Target:
        return Target("staff_user", self.id, self.email)

    @property
    def is_active(self) -> bool:
        return self.state == StaffState.ACTIVE

    @property
    def is_admin(self) -> bool:
        return self.role == StaffRole.ADMIN


class StaffSession(SessionColumns, ControlRecord):
    """One signed-in browser of a staff user."""

    __tablename__ = "staff_sessions"
    __table_args__: Any = (UniqueConstraint("token_hash"), {"schema": "control"})

    staff_user_id: Mapped[UUID] = mapped_column(ForeignKey("control.staff_users.id", ondelete="CASCADE"), index=True)


class StaffThrottle(ThrottleColumns, Record):
    """The failures of one account or address on the platform's host."""

    __tablename__ = "throttles"
    __table_args__: Any = (Index("ix_throttles_last_failed_at", "last_failed_at"), {"schema": "control"})

    unique_columns = ("key",)

    key: Mapped[str] = mapped_column(primary_key=True)
