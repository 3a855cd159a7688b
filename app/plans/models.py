"""The table of plans."""

from __future__ import annotations

from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.models import ControlRecord
from app.core.tenancy.scopes import Tier


class Plan(ControlRecord):
    """One plan of the catalogue; `limits` maps a meter to its limit, None for no limit.

    `tier` is how far the homes of its tenants are set apart unless somebody chooses otherwise.
    """

    __tablename__ = "plans"
    __table_args__: Any = (UniqueConstraint("key"), {"schema": "control"})

    key: Mapped[str]
    name: Mapped[str]
    price_label: Mapped[str]
    summary: Mapped[str]
    position: Mapped[int]
    region: Mapped[str]
    time_zone: Mapped[str]
    currency: Mapped[str]
    limits: Mapped[dict[str, Any]]
    tier: Mapped[str] = mapped_column(default=Tier.POOL, server_default=Tier.POOL)
