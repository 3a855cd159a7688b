"""The lease of a running job, renewed by a thread until the handler returns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import func, select, update

from app.core import clock
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import TenantryError
from app.core.jobs import JobState, PlatformJob
from app.core.tenancy.scopes import platform_scope

LEASE_SECONDS = 15
RENEW_SECONDS = 5
log = structlog.get_logger()


@contextmanager
def held_lease(tenant_id: UUID | None, job_id: UUID, token: int) -> Iterator[None]:
    """Renew a job's lease while the block runs; a killed process stops renewing, and the job comes again."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # The thread needs the app, not the proxy.
    done = threading.Event()

    def renew_until_done() -> None:
        with app.app_context():
            while not done.wait(RENEW_SECONDS):
                try:
                    renew_lease(tenant_id, job_id, token)
                except TenantryError:
                    log.warning("lease_not_renewed", job_id=str(job_id))

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
            return bool(db.session.scalar(select(func.tenancy.renew_lease(tenant_id, job_id, token, LEASE_SECONDS))))
        held = (
            update(PlatformJob)
            .where(PlatformJob.id == job_id, PlatformJob.token == token, PlatformJob.state == JobState.RUNNING)
            .values(lease_until=clock.now() + timedelta(seconds=LEASE_SECONDS))
            .returning(PlatformJob.id)
        )
        return db.session.scalar(held) is not None
