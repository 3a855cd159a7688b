"""Clones in the platform portal: asking for one, and for the day on which it is closed."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, url_for
from flask.typing import ResponseReturnValue

from app.clones import services
from app.clones.forms import CloneForm, ExpiryForm, suggest
from app.clones.queries import suggest_clone_slug
from app.core.copy_rules import list_copy_rules
from app.core.errors import InputError, StateError
from app.core.permissions import Permission
from app.core.runtime import current_settings
from app.servers.queries import list_open_servers
from app.tenants.queries import count_living_clones, find_placement, get_tenant
from app.web.decorators import require
from app.web.forms import add_errors
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor, current_viewer

bp = Blueprint("clones_admin", __name__, subdomain=Surface.ADMIN)


@bp.get("/tenants/<uuid:tenant_id>/clones/new")
@require(Permission.TENANT_CLONE)
def new_clone(tenant_id: UUID) -> ResponseReturnValue:
    """Ask what the clone is to be."""
    source, placement = get_tenant(tenant_id), find_placement(tenant_id)
    if placement is None:
        raise StateError(f"{source.name} has no home to copy.")
    suggested = suggest(source, suggest_clone_slug(source), placement.tier, placement.server)
    return _ask(tenant_id, CloneForm(data=suggested))


@bp.post("/tenants/<uuid:tenant_id>/clones")
@require(Permission.TENANT_CLONE)
def create_clone(tenant_id: UUID) -> ResponseReturnValue:
    """Start the clone and show it; an invalid form comes back with 422."""
    form = CloneForm()
    form.offer(get_tenant(tenant_id), list_open_servers())
    if not form.validate_on_submit():
        return _ask(tenant_id, form, 422)
    try:
        clone_id = services.start_clone(tenant_id, form.draft(str(current_viewer().id)), actor=current_actor())
    except InputError as error:
        add_errors(form, error)
        return _ask(tenant_id, form, 422)
    flash(f"{form.name.data} is being made; {get_tenant(tenant_id).name} works on meanwhile.", "success")
    return redirect_to(url_for("tenants_admin.show_tenant", tenant_id=clone_id))


@bp.get("/tenants/<uuid:tenant_id>/expiry")
@require(Permission.TENANT_CLONE)
def edit_expiry(tenant_id: UUID) -> ResponseReturnValue:
    """Ask when a clone is to be closed."""
    return _ask_when(tenant_id, ExpiryForm(data={"expires_on": get_tenant(tenant_id).expires_on}))


@bp.post("/tenants/<uuid:tenant_id>/expiry")
@require(Permission.TENANT_CLONE)
def update_expiry(tenant_id: UUID) -> ResponseReturnValue:
    """Take the new day; one out of bounds comes back with 422."""
    form = ExpiryForm()
    if not form.validate_on_submit():
        return _ask_when(tenant_id, form, 422)
    try:
        services.change_expiry(tenant_id, form.expires_on.data, actor=current_actor())
    except InputError as error:
        add_errors(form, error)
        return _ask_when(tenant_id, form, 422)
    flash("The clone has its new day." if form.expires_on.data else "The clone stays.", "success")
    return redirect_to(url_for("tenants_admin.show_tenant", tenant_id=tenant_id))


def _ask(tenant_id: UUID, form: CloneForm, status: int = 200) -> ResponseReturnValue:
    source = get_tenant(tenant_id)
    form.offer(source, list_open_servers())
    return render(
        "clones/admin/new_clone.html",
        status,
        source=source,
        form=form,
        rules=list_copy_rules(),
        count=count_living_clones(tenant_id),
        most=current_settings().clones_per_tenant,
        may_be_cloned=source.status in services.CLONABLE,
    )


def _ask_when(tenant_id: UUID, form: ExpiryForm, status: int = 200) -> ResponseReturnValue:
    clone = get_tenant(tenant_id)
    if not clone.is_clone:
        raise StateError(f"{clone.name} is no clone; it has no day on which it is closed.")
    form.offer(clone)
    return render("clones/admin/edit_expiry.html", status, tenant=clone, form=form)
