"""The table that summarises the jobs in other databases than the main one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.models import Record, TenantOwned


class IndexedJob(TenantOwned, Record):
    """A job as its own database had it at `as_of`; that database holds the truth, and this may be thrown away."""

    __tablename__ = "job_index"
    __table_args__: Any = (
        Index("ix_job_index_id", "id"),
        Index("ix_job_index_due", "run_at", postgresql_where=text("state in ('pending', 'queued', 'running')")),
        Index("ix_job_index_failed", "id", postgresql_where=text("state = 'failed'")),
        Index("ix_job_index_server_database_name", "server", "database_name"),
        {"schema": "control"},
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    server: Mapped[str]
    database_name: Mapped[str]
    kind: Mapped[str]
    queue: Mapped[str]
    state: Mapped[str]
    attempt: Mapped[int]
    run_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None]
    request_id: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    as_of: Mapped[datetime]
