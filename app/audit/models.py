"""The two tables of audit events: the control plane's and each home's."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.database.models import ControlRecord, HomeRecord, TenantOwned


class _EventColumns:
    at: Mapped[datetime] = mapped_column(default=clock.now)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_label: Mapped[str]
    address: Mapped[str | None]
    action: Mapped[str]
    target_kind: Mapped[str]
    target_id: Mapped[UUID | None]
    target_label: Mapped[str]
    changes: Mapped[dict[str, Any]]
    reason: Mapped[str | None]
    request_id: Mapped[str | None]


class ControlAuditEvent(_EventColumns, TenantOwned, ControlRecord):
    """An event of the control plane; `tenant_id` is set where it concerns a tenant, who may read it."""

    __tablename__ = "audit_events"
    __table_args__: Any = (Index("ix_audit_events_target_id_at_id", "target_id", "at", "id"), {"schema": "control"})

    tenant_id: Mapped[UUID | None]


class HomeAuditEvent(_EventColumns, HomeRecord):
    """An event in a tenant's home."""

    __tablename__ = "audit_events"
