"""The platform's audit page: what was done to the control plane."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.audit import queries
from app.audit.views.listing import send_events, show_events
from app.core.permissions import Permission
from app.web.decorators import require
from app.web.hosts import Surface

bp = Blueprint("audit_admin", __name__, subdomain=Surface.ADMIN)


@bp.get("/audit")
@require(Permission.AUDIT_READ)
def list_events() -> ResponseReturnValue:
    """Show the events that search and filters leave, a page of them."""
    return show_events("audit/admin/list_events.html", queries.list_events, to_tenant=False)


@bp.get("/audit.csv")
@require(Permission.AUDIT_READ)
def list_events_csv() -> ResponseReturnValue:
    """Send the newest events that search and filters leave, not only a page of them."""
    return send_events(queries.iterate_events, to_tenant=False)
