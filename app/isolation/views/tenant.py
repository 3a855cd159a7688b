"""Isolation in a tenant's portal: where its data lies, and how the walls around it were tried last."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.core.permissions import Permission
from app.isolation import queries
from app.isolation.views import downloads
from app.isolation.wording import describe_home
from app.web.decorators import require
from app.web.hosts import Surface, current_route
from app.web.htmx import render

bp = Blueprint("isolation_tenant", __name__, subdomain=Surface.TENANT)


@bp.get("/isolation")
@require(Permission.WORKSPACE_ISOLATION_READ)
def show_isolation() -> ResponseReturnValue:
    """Show where the tenant's data lies, and the reports of the server on which it does."""
    reports, placement = queries.list_reports_of_tenant(), current_route().placement
    home = describe_home(placement) if placement is not None else None
    return render("isolation/tenant/show_isolation.html", reports=reports, home=home)


@bp.get("/isolation/public-key.pem")
@require(Permission.WORKSPACE_ISOLATION_READ)
def show_public_key() -> ResponseReturnValue:
    """Send the key with which reports are verified."""
    return downloads.send_public_key()


@bp.get("/isolation/reports/<uuid:report_id>")
@require(Permission.WORKSPACE_ISOLATION_READ)
def show_report(report_id: UUID) -> ResponseReturnValue:
    """Show one report with every check."""
    return render("isolation/tenant/show_report.html", report=queries.get_report_of_tenant(report_id))


@bp.get("/isolation/reports/<uuid:report_id>/report.json")
@require(Permission.WORKSPACE_ISOLATION_READ)
def show_document(report_id: UUID) -> ResponseReturnValue:
    """Send the report as it was signed."""
    return downloads.send_document(queries.get_report_of_tenant(report_id))


@bp.get("/isolation/reports/<uuid:report_id>/report.sig")
@require(Permission.WORKSPACE_ISOLATION_READ)
def show_signature(report_id: UUID) -> ResponseReturnValue:
    """Send the report's signature."""
    return downloads.send_signature(queries.get_report_of_tenant(report_id))


@bp.get("/isolation/reports/<uuid:report_id>/report.pdf")
@require(Permission.WORKSPACE_ISOLATION_READ)
def show_pdf(report_id: UUID) -> ResponseReturnValue:
    """Send the report as people print it."""
    return downloads.send_pdf(queries.get_report_of_tenant(report_id))
