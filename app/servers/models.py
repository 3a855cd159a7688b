"""The table of database servers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.audit.services import Target
from app.core.database.models import ControlRecord, created_at
from app.core.tenancy.scopes import MAIN_SERVER

MIB = 2**20


class ServerState(StrEnum):
    """How far a server has come; only a ready one takes homes."""

    FAILED = "failed"
    PREPARING = "preparing"
    READY = "ready"


class Server(ControlRecord):
    """One database server; what was measured of it is true as of `measured_at`."""

    __tablename__ = "servers"
    __table_args__: Any = (UniqueConstraint("name"), {"schema": "control"})

    name: Mapped[str]
    region: Mapped[str]
    capacity: Mapped[int]
    # How much its databases may hold together, None where nobody has said.
    storage_bytes: Mapped[int | None] = mapped_column(BigInteger)
    accepts_homes: Mapped[bool]
    # So many empty homes wait there for the next tenants.
    ready_schema_count: Mapped[int] = mapped_column(default=0, server_default="0")
    ready_database_count: Mapped[int] = mapped_column(default=0, server_default="0")
    state: Mapped[str] = mapped_column(default=ServerState.PREPARING)
    error: Mapped[str | None]
    created_at: Mapped[datetime] = created_at()
    measured_at: Mapped[datetime | None]
    is_reachable: Mapped[bool | None]
    latency_seconds: Mapped[float | None]
    version: Mapped[str | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    connection_count: Mapped[int | None]
    connection_limit: Mapped[int | None]

    @property
    def target(self) -> Target:
        return Target("server", self.id, self.name)

    @property
    def is_main(self) -> bool:
        return self.name == MAIN_SERVER

    @property
    def storage_mib(self) -> int | None:
        """Return the storage limit as its form shows it, in units of 2**20 bytes."""
        return None if self.storage_bytes is None else self.storage_bytes // MIB

    @property
    def is_away(self) -> bool:
        """Tell whether the last measurement got no answer."""
        return self.is_reachable is False

    @property
    def takes_homes(self) -> bool:
        """Tell whether a home may be placed on it while there is room."""
        return self.state == ServerState.READY and self.accepts_homes and not self.is_away
