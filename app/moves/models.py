"""The table of moves: from where to where a home went, what that took, and how long the way back is kept."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.models import ControlRecord, TenantOwned, created_at
from app.core.database.session import registry
from app.core.tenancy.scopes import Placement, Tier
from app.moves.engine import Route

_CONTROL = {"schema": "control"}
_IN_WORDS = {
    Tier.POOL: "in the pool on {}",
    Tier.SCHEMA: "in its schema on {}",
    Tier.DATABASE: "in its database on {}",
}


class MoveState(StrEnum):
    """The states of a move; while it is kept, the old home is still there and the way back is open."""

    RUNNING = "running"
    KEPT = "kept"
    RETURNING = "returning"
    FINISHING = "finishing"
    FINISHED = "finished"
    RETURNED = "returned"
    FAILED = "failed"


FINAL_STATES = frozenset({MoveState.FINISHED, MoveState.RETURNED, MoveState.FAILED})


class Move(TenantOwned, ControlRecord):
    """One move of a tenant's home."""

    __tablename__ = "moves"
    __table_args__: Any = (
        Index("ix_moves_tenant_id_created_at_id", "tenant_id", "created_at", "id"),
        Index("ix_moves_created_at_id", "created_at", "id"),
        Index("ix_moves_keep_until", "keep_until", postgresql_where=text("state = 'kept'")),
        Index(
            "uq_moves_tenant_id_open",
            "tenant_id",
            unique=True,
            postgresql_where=text("state not in ('finished', 'returned', 'failed')"),
        ),
        _CONTROL,
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenants.id"))
    state: Mapped[str] = mapped_column(default=MoveState.RUNNING)
    source: Mapped[dict[str, Any]]
    target: Mapped[dict[str, Any]]
    actor_label: Mapped[str]
    row_count: Mapped[int] = mapped_column(BigInteger, default=0)
    byte_count: Mapped[int] = mapped_column(BigInteger, default=0)
    key_count: Mapped[int] = mapped_column(BigInteger, default=0)
    pause_milliseconds: Mapped[int | None]
    error: Mapped[str | None]
    findings: Mapped[str | None]
    keep_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_at()
    finished_at: Mapped[datetime | None]

    @property
    def route(self) -> Route:
        """Return the way as the engine takes it."""
        return Route(self.tenant_id, read_placement(self.source), read_placement(self.target))

    @property
    def way_back(self) -> Route:
        """Return the way back; the old place gets an epoch above the new one's."""
        here = read_placement(self.target)
        return Route(self.tenant_id, here, read_placement({**self.source, "epoch": here.epoch + 1}))

    @property
    def from_place(self) -> str:
        return f"{self.source['tier']} on {self.source['server']}"

    @property
    def to_place(self) -> str:
        return f"{self.target['tier']} on {self.target['server']}"

    @property
    def old_home(self) -> str:
        """Return where the home was, as a part of a sentence."""
        return _IN_WORDS[Tier(self.source["tier"])].format(self.source["server"])

    @property
    def new_home(self) -> str:
        """Return where the home goes, as a part of a sentence."""
        return _IN_WORDS[Tier(self.target["tier"])].format(self.target["server"])

    @property
    def slug(self) -> str | None:
        """Return the slug of the move's tenant, if it still has one."""
        route = registry().find_route(self.tenant_id)
        return route.slug if route else None

    @property
    def is_kept(self) -> bool:
        return self.state == MoveState.KEPT

    def end(self, state: MoveState, at: datetime) -> None:
        """Reach a final state."""
        self.state, self.finished_at, self.keep_until = state, at, None


def write_placement(placement: Placement) -> dict[str, Any]:
    """Return a placement as a row keeps it."""
    return {
        "server": placement.server,
        "database": placement.database,
        "tier": placement.tier.value,
        "schema": placement.schema,
        "epoch": placement.epoch,
    }


def read_placement(values: dict[str, Any]) -> Placement:
    """Return the placement that a row keeps."""
    return Placement(values["server"], Tier(values["tier"]), values["schema"], values["epoch"], values["database"])
