"""The table of a home's settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.database.models import HomeRecord


class Setting(HomeRecord):
    """One setting's value."""

    __tablename__ = "settings"
    __table_args__: Any = (UniqueConstraint("tenant_id", "key"), {"schema": "tenant"})

    key: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
