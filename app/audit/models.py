"""The two tables of audit events: the control plane's and each home's."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.database.models import ControlRecord, HomeRecord, TenantOwned


class _EventColumns:
    at: Mapped[datetime] = mapped_column(default=clock.now)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_label: Mapped[str]
    actor_search: Mapped[str]
    address: Mapped[str | None]
    action: Mapped[str]
    target_kind: Mapped[str]
    target_id: Mapped[UUID | None]
    target_label: Mapped[str]
    target_search: Mapped[str]
    changes: Mapped[dict[str, Any]]
    reason: Mapped[str | None]
    request_id: Mapped[str | None]


class ControlAuditEvent(_EventColumns, TenantOwned, ControlRecord):
    """An event of the control plane; `tenant_id` is set where it concerns a tenant, who may read it."""

    __tablename__ = "audit_events"
    # Those of the platform's filters end with the tenant where its own page could use them: so narrowed inside the
    # index, that page never fetches another tenant's row.
    __table_args__: Any = (
        Index("ix_audit_events_at_id", "at", "id"),
        Index("ix_audit_events_tenant_id_at_id", "tenant_id", "at", "id"),
        Index("ix_audit_events_action_at_id_tenant_id", "action", "at", "id", "tenant_id"),
        Index("ix_audit_events_target_id_at_id_tenant_id", "target_id", "at", "id", "tenant_id"),
        Index("ix_audit_events_target_search_tenant_id", "target_search", "tenant_id"),
        Index("ix_audit_events_actor_search_tenant_id", "actor_search", "tenant_id"),
        Index("ix_audit_events_request_id_tenant_id", "request_id", "tenant_id"),
        {"schema": "control"},
    )

    tenant_id: Mapped[UUID | None] = mapped_column(Uuid())


class HomeAuditEvent(_EventColumns, HomeRecord):
    """An event in a tenant's home."""

    __tablename__ = "audit_events"
    __table_args__: Any = (
        Index("ix_audit_events_tenant_id_at_id", "tenant_id", "at", "id"),
        Index("ix_audit_events_tenant_id_action_at_id", "tenant_id", "action", "at", "id"),
        Index("ix_audit_events_tenant_id_target_id_at_id", "tenant_id", "target_id", "at", "id"),
        Index("ix_audit_events_tenant_id_target_search", "tenant_id", "target_search"),
        Index("ix_audit_events_tenant_id_actor_search", "tenant_id", "actor_search"),
        Index("ix_audit_events_tenant_id_request_id", "tenant_id", "request_id"),
        {"schema": "tenant"},
    )
