"""The platform portal's first page."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.core.permissions import Permission
from app.dashboard.queries import get_platform_overview
from app.web.decorators import require
from app.web.hosts import Surface
from app.web.htmx import render

bp = Blueprint("dashboard_admin", __name__, subdomain=Surface.ADMIN)


@bp.get("/")
@require(Permission.PLATFORM_READ)
def show_overview() -> ResponseReturnValue:
    """Show the platform in numbers, and what needs a look."""
    return render("dashboard/admin/show_overview.html", overview=get_platform_overview())
