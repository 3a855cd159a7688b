"""How an act on many tenants went, read from the event that records it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.audit.models import ControlAuditEvent
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.errors import NotFoundError
from app.tenants.queries.listing import TenantLine, list_lines


@dataclass(frozen=True)
class BulkResult:
    """How it went for one tenant; `message` is for the person who asked."""

    tenant_id: UUID
    is_done: bool
    message: str

    def as_change(self) -> dict[str, Any]:
        """Return the result as the event keeps it."""
        return {"done": self.is_done, "message": self.message}


@dataclass(frozen=True)
class BulkAct:
    """One act on many tenants: each one's result with its line as it is now, by name; those without a line last."""

    rows: list[tuple[BulkResult, TenantLine | None]]

    @property
    def done_count(self) -> int:
        return sum(result.is_done for result, _line in self.rows)


def get_bulk_act(bulk_id: UUID) -> BulkAct:
    """Return how an act on many tenants went.

    Errors: NotFoundError.
    """
    statement = select(ControlAuditEvent.changes).where(
        ControlAuditEvent.target_id == bulk_id, ControlAuditEvent.action == AuditAction.TENANTS_CHANGED_TOGETHER
    )
    changes = db.session.scalar(statement)
    if changes is None:
        raise NotFoundError("There is no such act on several tenants.")
    results = {UUID(id_): BulkResult(UUID(id_), new["done"], new["message"]) for id_, (_old, new) in changes.items()}
    lines = list_lines(list(results))
    known = [(results.pop(line.id), line) for line in lines]
    return BulkAct([*known, *((result, None) for result in results.values())])
