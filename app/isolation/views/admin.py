"""Isolation in the platform portal: how each server stands, every probe, one probe live with its report."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.permissions import Permission
from app.isolation import queries, services
from app.isolation.models import ProbeState
from app.isolation.views import downloads
from app.servers.queries import get_server
from app.web.decorators import require
from app.web.forms import choices_of
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor
from app.web.tables import TableState, csv_response

bp = Blueprint("isolation_admin", __name__, subdomain=Surface.ADMIN)
CSV_HEADER = (
    "id", "server", "state", "checks", "failed", "error", "by", "created_at", "started_at", "finished_at", "key_id",
)  # fmt: skip


@bp.get("/isolation")
@require(Permission.ISOLATION_READ)
def list_probes() -> ResponseReturnValue:
    """Show how each server stands, and the probes that the filters leave, a page of them."""
    state, servers = _state(), queries.list_probed_servers()
    return render(
        "isolation/admin/list_probes.html",
        fragment="isolation/_probes.html",
        state=state,
        page=queries.search_probes(state),
        standings=queries.list_standings(servers),
        selects=[
            {"name": "server", "label": "Server", "options": [(name, name) for name in servers]},
            {"name": "state", "label": "State", "options": choices_of(ProbeState)},
        ],
    )


@bp.get("/isolation.csv")
@require(Permission.ISOLATION_READ)
def list_probes_csv() -> ResponseReturnValue:
    """Send the newest probes that the filters leave."""
    return csv_response(f"isolation-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, _csv_rows(_state()))


@bp.get("/isolation/public-key.pem")
@require(Permission.ISOLATION_READ)
def show_public_key() -> ResponseReturnValue:
    """Send the key with which reports are verified."""
    return downloads.send_public_key()


@bp.post("/isolation/probes")
@require(Permission.ISOLATION_CHECK)
def create_probes() -> ResponseReturnValue:
    """Have every server probed, and go back to the list."""
    services.request_probes(actor=current_actor())
    flash("Every server is being probed.", "success")
    return redirect_to(url_for(".list_probes"))


@bp.post("/isolation/servers/<uuid:server_id>/probes")
@require(Permission.ISOLATION_CHECK)
def create_probe(server_id: UUID) -> ResponseReturnValue:
    """Have one server probed, and show the probe live."""
    probe_id = services.request_probe(get_server(server_id).name, actor=current_actor())
    return redirect_to(url_for(".show_probe", probe_id=probe_id))


@bp.get("/isolation/probes/<uuid:probe_id>")
@require(Permission.ISOLATION_READ)
def show_probe(probe_id: UUID) -> ResponseReturnValue:
    """Show one probe: how far it is, or its report with every check."""
    probe = queries.get_probe(probe_id)
    report = queries.report_of(probe)
    return render("isolation/admin/show_probe.html", fragment="isolation/_probe.html", probe=probe, report=report)


@bp.get("/isolation/probes/<uuid:probe_id>/report.json")
@require(Permission.ISOLATION_READ)
def show_document(probe_id: UUID) -> ResponseReturnValue:
    """Send the report as it was signed."""
    return downloads.send_document(queries.get_report(probe_id))


@bp.get("/isolation/probes/<uuid:probe_id>/report.sig")
@require(Permission.ISOLATION_READ)
def show_signature(probe_id: UUID) -> ResponseReturnValue:
    """Send the report's signature."""
    return downloads.send_signature(queries.get_report(probe_id))


@bp.get("/isolation/probes/<uuid:probe_id>/report.pdf")
@require(Permission.ISOLATION_READ)
def show_pdf(probe_id: UUID) -> ResponseReturnValue:
    """Send the report as people print it."""
    return downloads.send_pdf(queries.get_report(probe_id))


def _state() -> TableState:
    return TableState.from_args(request.args, filters={"server": None, "state": list(ProbeState)})


def _csv_rows(state: TableState) -> Iterator[tuple[object, ...]]:
    for row in queries.iterate_probes(state):
        yield (
            str(row.id), row.server, row.state, row.total_count, row.failed_count, row.error, row.actor_label,
            row.created_at, row.started_at, row.finished_at, row.key_id,
        )  # fmt: skip
