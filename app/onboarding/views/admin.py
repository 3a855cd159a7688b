"""Onboarding in the platform portal."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.errors import InputError, StateError
from app.core.permissions import Permission
from app.onboarding import queries, services
from app.onboarding.forms import OwnerLinkForm, PlatformTenantForm
from app.onboarding.owner_links import MAIL_OWNER_LINK, find_obstacle
from app.onboarding.views.suggestions import render_slug_suggestion
from app.operations.queries import find_latest_operation
from app.plans.queries import list_plans
from app.servers.queries import list_open_servers
from app.tenants.queries import get_tenant
from app.web.decorators import require
from app.web.forms import add_errors
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor

bp = Blueprint("onboarding_admin", __name__, subdomain=Surface.ADMIN)


@bp.get("/tenants/new")
@require(Permission.TENANT_CREATE)
def new_tenant() -> ResponseReturnValue:
    """Show the form."""
    return _form_page(PlatformTenantForm())


@bp.post("/tenants")
@require(Permission.TENANT_CREATE)
def create_tenant() -> ResponseReturnValue:
    """Onboard a tenant and show its provisioning; an invalid form comes back with 422."""
    form = PlatformTenantForm()
    form.offer_plans(list_plans())
    form.offer_servers(list_open_servers())
    if not form.validate_on_submit():
        return _form_page(form, 422)
    try:
        tenant_id = services.onboard_tenant(form.draft(Surface.ADMIN), actor=current_actor())
    except InputError as error:
        add_errors(form, error)
        return _form_page(form, 422)
    flash(f"{form.name.data} is being set up.", "success")
    return redirect_to(url_for("tenants_admin.show_tenant", tenant_id=tenant_id))


@bp.get("/tenants/slug-checks")
@require(Permission.TENANT_CREATE)
def show_slug_check() -> ResponseReturnValue:
    """Say, while it is typed, whether an address can be had."""
    return render_template(
        "onboarding/_slug_check.html", check=queries.check_availability(request.args.get("slug", ""))
    )


@bp.get("/tenants/slug-suggestions")
@require(Permission.TENANT_CREATE)
def show_slug_suggestion() -> ResponseReturnValue:
    """Offer an address while the name is typed."""
    return render_slug_suggestion(PlatformTenantForm(request.args))


@bp.get("/tenants/<uuid:tenant_id>/owner-links")
@require(Permission.TENANT_CREATE)
def new_owner_link(tenant_id: UUID) -> ResponseReturnValue:
    """Say what a new link for the owner does, and ask."""
    tenant, latest = get_tenant(tenant_id), find_latest_operation(tenant_id, MAIL_OWNER_LINK)
    obstacle = find_obstacle(tenant)
    if obstacle is not None:
        raise StateError(obstacle)
    form = OwnerLinkForm(seen=latest.id if latest else "")
    return render("onboarding/admin/new_owner_link.html", tenant=tenant, latest=latest, form=form)


@bp.post("/tenants/<uuid:tenant_id>/owner-links")
@require(Permission.TENANT_CREATE)
def create_owner_link(tenant_id: UUID) -> ResponseReturnValue:
    """Mail the owner a new link and show the tenant, with the operation that does it."""
    tenant = get_tenant(tenant_id)
    services.send_owner_link(tenant_id, seen=OwnerLinkForm().seen_id, actor=current_actor())
    flash(f"A new link is on its way to the owner of {tenant.name}.", "success")
    return redirect_to(url_for("tenants_admin.show_tenant", tenant_id=tenant_id))


def _form_page(form: PlatformTenantForm, status: int = 200) -> ResponseReturnValue:
    form.offer_plans(list_plans())
    form.offer_servers(list_open_servers())
    return render("onboarding/admin/new_tenant.html", status, form=form)
