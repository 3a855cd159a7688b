"""The settings page of the tenant portal."""

from __future__ import annotations

from flask import Blueprint, flash, url_for
from flask.typing import ResponseReturnValue

from app.core.permissions import Permission
from app.settings import queries, services
from app.settings.forms import WorkspaceForm
from app.web.decorators import require
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor

bp = Blueprint("settings_tenant", __name__, subdomain=Surface.TENANT)


@bp.get("/settings")
@require(Permission.WORKSPACE_SETTINGS_EDIT)
def edit_workspace() -> ResponseReturnValue:
    """Show the form with what is in force."""
    workspace = queries.get_workspace()
    return render("settings/tenant/edit_workspace.html", form=WorkspaceForm(data=workspace.fields))


@bp.post("/settings")
@require(Permission.WORKSPACE_SETTINGS_EDIT)
def update_workspace() -> ResponseReturnValue:
    """Save the form; an invalid one comes back with 422."""
    form = WorkspaceForm()
    if not form.validate_on_submit():
        return render("settings/tenant/edit_workspace.html", 422, form=form)
    services.update_workspace(form.changes, actor=current_actor())
    flash("The settings are saved.", "success")
    return redirect_to(url_for(".edit_workspace"))
