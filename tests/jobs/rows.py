"""Job rows as they are in the outboxes, past the product, and how a test makes time pass for them."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

from psycopg.rows import namedtuple_row

from tests.tenant_rows import owner_connection

COLUMNS = "tenant_id, id, kind, key, state, token, attempt, run_at, lease_until, error, request_id, started_at"
EXPIRE = "update {} set lease_until = clock_timestamp() - interval '1 second' where state in ('queued', 'running')"


def job_rows() -> list[SimpleNamespace]:
    """Return every job of both outboxes, oldest first."""
    with owner_connection() as connection:
        cursor = connection.cursor(row_factory=namedtuple_row)
        return cursor.execute(
            f"select {COLUMNS} from control.outbox union all select {COLUMNS} from tenancy.outbox order by id"
        ).fetchall()


def job_row(job_id: UUID) -> SimpleNamespace:
    """Return one job."""
    return next(row for row in job_rows() if row.id == job_id)


def expire_leases() -> None:
    """Let every lease have run out, as when a worker was killed or Redis was flushed long ago."""
    with owner_connection() as connection:
        for outbox in ("control.outbox", "tenancy.outbox"):
            connection.execute(EXPIRE.format(outbox))
