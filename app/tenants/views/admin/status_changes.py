"""Changing a tenant's status: a form that says what will happen, and the noun that makes it happen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, url_for
from flask.typing import ResponseReturnValue

from app.core.errors import InputError, StateError
from app.core.permissions import Permission
from app.tenants import queries, services
from app.tenants.actions import ARCHIVAL, REACTIVATION, SUSPENSION, UNARCHIVAL, StatusAction
from app.tenants.forms import ArchivalForm, ReactivationForm, SuspensionForm, UnarchivalForm
from app.tenants.models import Tenant
from app.tenants.status import TenantStatus
from app.tenants.views.admin.blueprint import bp
from app.web.decorators import require
from app.web.forms import Form, add_errors
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor


@bp.get("/tenants/<uuid:tenant_id>/suspension")
@require(Permission.TENANT_SUSPEND)
def new_suspension(tenant_id: UUID) -> ResponseReturnValue:
    """Ask why a tenant is to be suspended."""
    return _ask(SUSPENSION, queries.get_tenant(tenant_id), SuspensionForm())


@bp.post("/tenants/<uuid:tenant_id>/suspension")
@require(Permission.TENANT_SUSPEND)
def create_suspension(tenant_id: UUID) -> ResponseReturnValue:
    """Suspend a tenant and show it; an invalid form comes back with 422."""
    form, tenant = SuspensionForm(), queries.get_tenant(tenant_id)
    if not form.validate_on_submit():
        return _ask(SUSPENSION, tenant, form, 422)
    services.suspend_tenant(tenant_id, reason=form.reason.data, actor=current_actor())
    return _show_done(SUSPENSION, tenant)


@bp.get("/tenants/<uuid:tenant_id>/reactivation")
@require(Permission.TENANT_SUSPEND)
def new_reactivation(tenant_id: UUID) -> ResponseReturnValue:
    """Ask whether a tenant is to work again."""
    return _ask(REACTIVATION, queries.get_tenant(tenant_id), ReactivationForm())


@bp.post("/tenants/<uuid:tenant_id>/reactivation")
@require(Permission.TENANT_SUSPEND)
def create_reactivation(tenant_id: UUID) -> ResponseReturnValue:
    """Reactivate a tenant and show it; an invalid form comes back with 422."""
    form, tenant = ReactivationForm(), queries.get_tenant(tenant_id)
    if not form.validate_on_submit():
        return _ask(REACTIVATION, tenant, form, 422)
    services.reactivate_tenant(tenant_id, reason=form.reason.data, actor=current_actor())
    return _show_done(REACTIVATION, tenant)


@bp.get("/tenants/<uuid:tenant_id>/archival")
@require(Permission.TENANT_ARCHIVE)
def new_archival(tenant_id: UUID) -> ResponseReturnValue:
    """Ask for the reason and the slug of a tenant that is to be archived."""
    tenant = queries.get_tenant(tenant_id)
    return _ask(ARCHIVAL, tenant, ArchivalForm(expected=tenant.slug))


@bp.post("/tenants/<uuid:tenant_id>/archival")
@require(Permission.TENANT_ARCHIVE)
def create_archival(tenant_id: UUID) -> ResponseReturnValue:
    """Archive a tenant and show it; an invalid form comes back with 422."""
    tenant = queries.get_tenant(tenant_id)
    form = ArchivalForm(expected=tenant.slug)
    if not form.validate_on_submit():
        return _ask(ARCHIVAL, tenant, form, 422)
    services.archive_tenant(tenant_id, reason=form.reason.data, actor=current_actor())
    return _show_done(ARCHIVAL, tenant)


@bp.get("/tenants/<uuid:tenant_id>/unarchival")
@require(Permission.TENANT_ARCHIVE)
def new_unarchival(tenant_id: UUID) -> ResponseReturnValue:
    """Ask whether an archived tenant is to be opened again; a suspension that it had stays unless somebody says so."""
    return _ask_unarchival(queries.get_tenant(tenant_id), UnarchivalForm(keep_suspended=True))


@bp.post("/tenants/<uuid:tenant_id>/unarchival")
@require(Permission.TENANT_ARCHIVE)
def create_unarchival(tenant_id: UUID) -> ResponseReturnValue:
    """Open an archived tenant again and show it; an invalid form comes back with 422."""
    form, tenant = UnarchivalForm(), queries.get_tenant(tenant_id)
    if not form.validate_on_submit():
        return _ask_unarchival(tenant, form, 422)
    try:
        services.unarchive_tenant(
            tenant_id, reason=form.reason.data, keep_suspended=form.keep_suspended.data, actor=current_actor()
        )
    except InputError as error:
        add_errors(form, error)
        return _ask_unarchival(tenant, form, 422)
    return _show_done(UNARCHIVAL, tenant)


def _ask_unarchival(tenant: Tenant, form: UnarchivalForm, status: int = 200) -> ResponseReturnValue:
    was = {
        "suspension": queries.find_lifted_suspension(tenant.id),
        "was_past_due": queries.find_status_when_archived(tenant.id) == TenantStatus.PAST_DUE,
    }
    return _ask(UNARCHIVAL, tenant, form, status, **was)


def _ask(action: StatusAction, tenant: Tenant, form: Form, status: int = 200, **context: Any) -> ResponseReturnValue:
    if not action.applies_to(tenant.status):
        raise StateError(action.refusal(tenant.name, tenant.status))
    return render(f"tenants/admin/new_{action.noun}.html", status, tenant=tenant, action=action, form=form, **context)


def _show_done(action: StatusAction, tenant: Tenant) -> ResponseReturnValue:
    flash(f"{tenant.name} was {action.done}.", "success")
    return redirect_to(url_for(".show_tenant", tenant_id=tenant.id))
