"""The ticket of the dispatch that this worker carries, and the guard that lets no transaction commit without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.core.database.session import db
from app.core.database.transactions import on_commit_guard
from app.core.errors import TenantryError
from app.core.jobs import JobState, PlatformJob, TenantJob
from app.core.tenancy.scopes import Login, find_scope


class LeaseLostError(TenantryError):
    """Another worker has this job now; nothing of this run commits."""


@dataclass(frozen=True)
class JobTicket:
    """One dispatch of one job; the token fences out every earlier dispatch."""

    job_id: UUID
    tenant_id: UUID | None
    kind: str
    token: int

    @property
    def model(self) -> type[PlatformJob] | type[TenantJob]:
        return PlatformJob if self.tenant_id is None else TenantJob


_ticket: ContextVar[JobTicket | None] = ContextVar("tenantry_job", default=None)


@contextmanager
def carried(ticket: JobTicket) -> Iterator[None]:
    """Let every transaction of the block commit only while the ticket's lease is held."""
    before = _ticket.set(ticket)
    try:
        yield
    finally:
        _ticket.reset(before)


def refuse_lost_lease() -> None:
    """Check, inside a job's transaction and until it ends, that the job was not given to another worker.

    Errors: LeaseLostError.
    """
    ticket, scope = _ticket.get(), find_scope()
    if ticket is None or scope is None:
        return
    # A step in a home cannot see a platform job's row; there the step's marker refuses the second commit.
    if ticket.tenant_id != scope.tenant_id and scope.login is not Login.OWNER:
        return
    model = ticket.model
    held = (
        select(model.id)
        .where(model.id == ticket.job_id, model.token == ticket.token, model.state == JobState.RUNNING)
        .with_for_update(read=True)
    )
    if db.session.scalar(held) is None:
        raise LeaseLostError("Another worker has this job now.")


on_commit_guard(refuse_lost_lease)
