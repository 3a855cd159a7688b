"""The tenant portal's first page."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from app.core.permissions import Permission
from app.dashboard.checklist import build_checklist
from app.members.queries import count_members
from app.settings.queries import get_workspace, has_changed_settings
from app.tenants.queries import list_status_changes
from app.tenants.status import TenantStatus
from app.web.decorators import require
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render

bp = Blueprint("dashboard_tenant", __name__, subdomain=Surface.TENANT)


@bp.get("/")
@require(Permission.WORKSPACE_READ)
def show_overview() -> ResponseReturnValue:
    """Show the workspace, and to those who run it what is left to do."""
    counts = count_members()
    checklist = build_checklist(
        members_count=sum(counts.values()),
        active_count=counts.get("active", 0),
        settings_changed=has_changed_settings(),
    )
    return render("dashboard/tenant/show_overview.html", workspace=get_workspace(), counts=counts, checklist=checklist)


@bp.get("/suspended")
@require(Permission.WORKSPACE_SETTINGS_EDIT)
def show_suspension() -> ResponseReturnValue:
    """Show those who run a suspended workspace why it rests and what was kept; an open one has nothing to show."""
    workspace = get_workspace()
    if workspace.tenant.status != TenantStatus.SUSPENDED:
        return redirect_to(url_for(".show_overview"))
    changes = list_status_changes(workspace.tenant.id)
    return render("dashboard/tenant/show_suspension.html", workspace=workspace, changes=changes, counts=count_members())
