"""Onboarding in the platform portal."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.errors import InputError
from app.core.permissions import Permission
from app.onboarding import queries, services
from app.onboarding.forms import PlatformTenantForm
from app.plans.queries import list_plans
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


def _form_page(form: PlatformTenantForm, status: int = 200) -> ResponseReturnValue:
    form.offer_plans(list_plans())
    return render("onboarding/admin/new_tenant.html", status, form=form)
