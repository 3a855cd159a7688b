"""The table of plans."""

from __future__ import annotations

from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from app.core.database.models import ControlRecord


class Plan(ControlRecord):
    """One plan of the catalogue; `limits` maps a meter to its limit, None for no limit."""

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
