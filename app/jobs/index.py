"""The summary of jobs in other databases than the main one: what the jobs page lists without asking every server.

It is written anew, database by database, whenever the dispatcher has swept one; thrown away, it comes back by itself.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from app.core import clock
from app.core.database.session import db, registry
from app.core.database.transactions import transaction
from app.core.jobs import JobState
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress
from app.jobs.models import IndexedJob
from app.jobs.outboxes import execute_at

MOST_DONE = 200
MOST_OF_A_STAGE = 1_000
STAGES = ("scheduled", *(state.value for state in JobState))
LISTED = (
    *("tenant_id", "id", "kind", "queue", "state", "attempt", "run_at", "lease_until", "error", "request_id"),
    *("created_at", "started_at", "finished_at"),
)
_LIST = text(
    f"select {', '.join(LISTED)} from tenancy.list_jobs(:stage, null, null, null, false, :most)"  # noqa: S608
)


def index_jobs(address: DatabaseAddress) -> None:
    """Write down the jobs of one database: what is unfinished or failed, and the newest that are done.

    Errors: UnavailableError when it does not answer; what was written down before stays, with its time.
    """
    as_of, found = clock.now(), dict[Any, dict[str, Any]]()
    with transaction():
        for stage in STAGES:
            most = MOST_DONE if stage == JobState.DONE else MOST_OF_A_STAGE
            for row in execute_at(address, _LIST, {"stage": stage, "most": most}):
                found[row.id] = {**row._mapping, "server": address.server, "database_name": address.name}
    with transaction():
        db.session.execute(delete(IndexedJob).where(_place() == address))
        if found:
            new = insert(IndexedJob).values([{**row, "as_of": as_of} for row in found.values()])
            # The job of a tenant that has moved keeps its id, and the place that it had may still be known here.
            changes = {column: new.excluded[column] for column in (*LISTED[2:], "server", "database_name", "as_of")}
            db.session.execute(new.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=changes))


def forget_gone_databases() -> None:
    """Drop what is known of databases that hold no homes any more; runs in an open transaction."""
    known = [address for address in registry().list_databases() if address != MAIN_DATABASE]
    db.session.execute(delete(IndexedJob).where(_place().not_in(known)))


def _place() -> Any:
    return tuple_(IndexedJob.server, IndexedJob.database_name)
