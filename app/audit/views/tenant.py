"""A tenant's audit page: what was done in its home and to it."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.audit import queries
from app.audit.views.listing import send_events, show_events
from app.core.permissions import Permission
from app.web.decorators import require
from app.web.hosts import Surface

bp = Blueprint("audit_tenant", __name__, subdomain=Surface.TENANT)


@bp.get("/audit")
@require(Permission.WORKSPACE_AUDIT_READ)
def list_events() -> ResponseReturnValue:
    """Show the events that search and filters leave, a page of them."""
    return show_events("audit/tenant/list_events.html", queries.list_tenant_events, to_tenant=True)


@bp.get("/audit.csv")
@require(Permission.WORKSPACE_AUDIT_READ)
def list_events_csv() -> ResponseReturnValue:
    """Send the newest events that search and filters leave, not only a page of them."""
    return send_events(queries.iterate_tenant_events, to_tenant=True)
