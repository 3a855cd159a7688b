"""The lease of a running job, renewed by a thread until the handler returns; its end is on the database's clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from flask import Flask, current_app
from sqlalchemy import func, select, update

from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.jobs import JobState, PlatformJob
from app.core.tenancy.scopes import platform_scope
from app.jobs.outboxes import execute_at, find_address

LEASE_SECONDS = 15
RENEW_SECONDS = 5
log = structlog.get_logger()


def lease_end() -> Any:
    """Return the SQL expression of the moment at which a lease taken now runs out.

    Every machine's clock may be off; whether a lease has run out is asked of the database's.
    """
    return func.clock_timestamp() + timedelta(seconds=LEASE_SECONDS)


@contextmanager
def held_lease(tenant_id: UUID | None, job_id: UUID, token: int) -> Iterator[None]:
    """Renew a job's lease while the block runs; a killed process stops renewing, and the job comes again."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # Threads need it, not the proxy.
    done = threading.Event()

    def renew_until_done() -> None:
        with app.app_context():
            while not done.wait(RENEW_SECONDS) and _is_kept(tenant_id, job_id, token):
                pass

    thread = threading.Thread(target=renew_until_done, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def renew_lease(tenant_id: UUID | None, job_id: UUID, token: int) -> bool:
    """Prolong a lease that this token still holds; tell whether it does."""
    with platform_scope("lease renewed"), transaction():
        if tenant_id is not None:
            renewal = select(func.tenancy.renew_lease(tenant_id, job_id, token, LEASE_SECONDS))
            return bool(execute_at(find_address(tenant_id), renewal).scalar())
        held = (
            update(PlatformJob)
            .where(PlatformJob.id == job_id, PlatformJob.token == token, PlatformJob.state == JobState.RUNNING)
            .values(lease_until=lease_end())
            .returning(PlatformJob.id)
            .execution_options(synchronize_session=False)
        )
        return db.session.scalar(held) is not None


def _is_kept(tenant_id: UUID | None, job_id: UUID, token: int) -> bool:
    try:
        return renew_lease(tenant_id, job_id, token)
    except Exception as error:
        # Whatever it is, the next turn may find the database well again; until then the lease has seconds left.
        log.warning("lease_not_renewed", job_id=str(job_id), error=type(error).__name__)
        return True
