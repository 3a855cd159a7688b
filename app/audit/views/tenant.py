"""A tenant's audit page: what was done in its home and to it."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.audit import queries
from app.audit.views.filters import list_action_choices, make_filter, read_state
from app.audit.wording import CSV_HEADER, export_line
from app.core import clock
from app.core.permissions import Permission
from app.web.decorators import require
from app.web.hosts import Surface
from app.web.htmx import render
from app.web.tables import csv_response

bp = Blueprint("audit_tenant", __name__, subdomain=Surface.TENANT)


@bp.get("/audit")
@require(Permission.WORKSPACE_AUDIT_READ)
def list_events() -> ResponseReturnValue:
    """Show the events that search and filters leave, a page of them."""
    state = read_state(with_tenant=False)
    return render(
        "audit/tenant/list_events.html",
        fragment="audit/_events.html",
        state=state,
        page=queries.list_tenant_events(make_filter(state), state.cursor),
        actions=list_action_choices(),
        to_tenant=True,
    )


@bp.get("/audit.csv")
@require(Permission.WORKSPACE_AUDIT_READ)
def list_events_csv() -> ResponseReturnValue:
    """Send the newest events that search and filters leave, not only a page of them."""
    events = queries.iterate_tenant_events(make_filter(read_state(with_tenant=False)))
    lines = (export_line(event, to_tenant=True) for event in events)
    return csv_response(f"audit-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, lines)
