"""Reading probes and reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select, text, tuple_
from sqlalchemy.orm import defer

from app.core import clock
from app.core.database.session import db
from app.core.errors import NotFoundError
from app.core.runtime import current_settings
from app.isolation.models import OPEN_STATES, Probe, ProbeState
from app.isolation.reports import Report
from app.servers.models import Server, ServerState
from app.web.tables import Page, TableState, build_page, decode_cursor

PAGE_ROWS = 50
EXPORT_ROWS = 10_000
TENANTS_REPORTS = 20
# A server without a probe for this many intervals is shown as unproven.
MISSED_INTERVALS = 3
_OF_TENANT = text("select id, document, signature, key_id from tenancy.list_isolation_reports(:most)")


@dataclass(frozen=True)
class Standing:
    """How a server stands: its newest probe that has ended, and the one that is open."""

    server: str
    server_id: UUID
    latest: Probe | None
    running: Probe | None
    is_late: bool

    @property
    def key(self) -> str:
        """Return the standing in one word."""
        if self.latest is None:
            return "unproven"
        if self.latest.state == ProbeState.FAILED:
            return "breached"
        return "proven" if self.latest.is_passed and not self.is_late else "unproven"


def get_probe(probe_id: UUID, *, lock: bool = False) -> Probe:
    """Return a probe, locked until the transaction ends if asked.

    Errors: NotFoundError.
    """
    probe = db.session.get(Probe, probe_id, with_for_update=lock or None, populate_existing=lock)
    if probe is None:
        raise NotFoundError("There is no such probe.")
    return probe


def find_open_probe(server: str) -> Probe | None:
    """Return the probe of a server that has not ended."""
    return db.session.scalar(select(Probe).where(Probe.server == server, Probe.state.in_(OPEN_STATES)))


def find_latest_probe(server: str, *, before: datetime | None = None) -> Probe | None:
    """Return the newest probe of a server that has ended, or the newest that began before a moment."""
    statement = select(Probe).where(Probe.server == server, Probe.state.not_in(OPEN_STATES))
    if before is not None:
        statement = statement.where(Probe.created_at < before)
    return db.session.scalars(statement.order_by(Probe.created_at.desc(), Probe.id.desc()).limit(1)).first()


def list_stuck_probes(before: datetime) -> list[UUID]:
    """Return the probes that were asked for before a moment and have not ended."""
    return list(db.session.scalars(select(Probe.id).where(Probe.state.in_(OPEN_STATES), Probe.created_at < before)))


def list_probed_servers() -> list[str]:
    """Return the servers that are probed: those that are ready, the main one first."""
    statement = select(Server.name).where(Server.state == ServerState.READY)
    return list(db.session.scalars(statement.order_by(Server.name != "main", Server.name)))


def list_standings(servers: Sequence[str] | None = None) -> list[Standing]:
    """Return how servers stand, those that are probed unless some are named."""
    late_before = clock.now() - timedelta(seconds=MISSED_INTERVALS * current_settings().isolation_probe_seconds)
    ids = dict(db.session.execute(select(Server.name, Server.id)).all())
    standings = []
    for server in list_probed_servers() if servers is None else servers:
        latest = find_latest_probe(server)
        is_late = latest is None or (latest.finished_at or latest.created_at) < late_before
        standings.append(Standing(server, ids[server], latest, find_open_probe(server), is_late))
    return standings


def search_probes(state: TableState) -> Page[Probe]:
    """Return a page of probes, newest first, of a server and in a state if filtered."""
    cursor = decode_cursor(state.cursor, "", (datetime, UUID))
    statement, backward = _narrowed(state), cursor is not None and cursor.backward
    if cursor is not None:
        here, there = tuple_(Probe.created_at, Probe.id), tuple_(*cursor.values)
        statement = statement.where(here > there if backward else here < there)
    order = (Probe.created_at, Probe.id) if backward else (Probe.created_at.desc(), Probe.id.desc())
    rows = list(db.session.scalars(statement.order_by(*order).limit(PAGE_ROWS + 1)))
    return build_page(rows, limit=PAGE_ROWS, cursor=cursor, sort="", values=lambda probe: (probe.created_at, probe.id))


def iterate_probes(state: TableState) -> Iterator[Probe]:
    """Yield the newest probes that the filters leave, for an export, up to its limit."""
    yield from db.session.scalars(
        _narrowed(state).order_by(Probe.created_at.desc(), Probe.id.desc()).limit(EXPORT_ROWS)
    )


def report_of(probe: Probe) -> Report | None:
    """Return a probe's report; None where it ended without one, or has not ended."""
    if probe.document is None or probe.signature is None or probe.key_id is None:
        return None
    return Report(probe.id, probe.document, probe.signature, probe.key_id)


def get_report(probe_id: UUID) -> Report:
    """Return the report of a probe.

    Errors: NotFoundError, also for a probe that has none.
    """
    report = report_of(get_probe(probe_id))
    if report is None:
        raise NotFoundError("This probe has no report.")
    return report


def list_reports_of_tenant() -> list[Report]:
    """Return the newest reports of the server on which the running tenant's home lies; the database chooses them."""
    rows = db.session.execute(_OF_TENANT, {"most": TENANTS_REPORTS}, bind_arguments={"mapper": Probe.__mapper__})
    return [Report(*row) for row in rows]


def get_report_of_tenant(report_id: UUID) -> Report:
    """Return one of the reports that the running tenant may read.

    Errors: NotFoundError, for another server's as for none.
    """
    found = next((report for report in list_reports_of_tenant() if report.id == report_id), None)
    if found is None:
        raise NotFoundError("There is no such report.")
    return found


def _narrowed(state: TableState) -> Select[Probe]:
    statement = select(Probe).options(defer(Probe.document), defer(Probe.signature))
    if "server" in state.filters:
        statement = statement.where(Probe.server == state.filters["server"])
    if "state" in state.filters:
        statement = statement.where(Probe.state == ProbeState(state.filters["state"]))
    return statement
