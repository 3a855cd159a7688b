"""The tabs of one tenant's page, and the form of its basics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from app.audit.queries import list_events as list_control_events
from app.audit.views.filters import make_filter, read_state
from app.core.database.versions import newest_version
from app.core.errors import ConflictError
from app.core.permissions import Permission
from app.operations.queries import OperationFilter, find_latest_operation, list_steps, search_operations
from app.servers.queries import find_server_by_name
from app.tenants import queries, services
from app.tenants.actions import list_actions
from app.tenants.facts import list_fact_lines
from app.tenants.forms import BasicsForm
from app.tenants.models import Tenant
from app.tenants.status import EFFECTS, TenantStatus
from app.tenants.views.admin.blueprint import bp
from app.tenants.views.admin.undo import take_undo
from app.web.decorators import require
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor, may
from app.web.links import tenant_url
from app.web.tables import TableState

# Each tab's page by the name of its view.
TABS = (
    ("Overview", "show_tenant", Permission.TENANT_READ),
    ("Status", "show_history", Permission.TENANT_READ),
    ("Metadata", "show_metadata", Permission.TENANT_READ),
    ("Operations", "list_operations", Permission.TENANT_READ),
    ("Audit", "list_events", Permission.AUDIT_READ),
)


@bp.get("/tenants/<uuid:tenant_id>")
@require(Permission.TENANT_READ)
def show_tenant(tenant_id: UUID) -> ResponseReturnValue:
    """Show a tenant's overview."""
    tenant, facts = queries.get_tenant(tenant_id), queries.list_facts(tenant_id)
    operation, placement = find_latest_operation(tenant_id), queries.find_placement(tenant_id)
    return show_tab(
        "show_tenant",
        tenant,
        address=tenant_url(tenant.slug),
        effect=EFFECTS[TenantStatus(tenant.status)],
        placement=placement,
        server=find_server_by_name(placement.server) if placement else None,
        home_version=queries.find_home_version(tenant_id),
        newest_version=newest_version("tenant"),
        owner_fact=facts.pop("owner_has_accepted", None),
        facts=list_fact_lines(facts),
        tags=queries.list_tags(tenant_id),
        source=queries.get_tenant(tenant.cloned_from_id) if tenant.cloned_from_id else None,
        clones=queries.list_clones(tenant_id),
        operation=operation,
        steps=list_steps(operation.id) if operation else [],
    )


@bp.get("/tenants/<uuid:tenant_id>/status")
@require(Permission.TENANT_READ)
def show_history(tenant_id: UUID) -> ResponseReturnValue:
    """Show how a tenant came to its status."""
    return show_tab("show_history", queries.get_tenant(tenant_id), changes=queries.list_status_changes(tenant_id))


@bp.get("/tenants/<uuid:tenant_id>/operations")
@require(Permission.TENANT_READ)
def list_operations(tenant_id: UUID) -> ResponseReturnValue:
    """Show a tenant's operations, a page of them."""
    state = TableState.from_args(request.args)
    page = search_operations(OperationFilter(tenant_id=tenant_id), state.cursor)
    return show_tab("list_operations", queries.get_tenant(tenant_id), state=state, page=page)


@bp.get("/tenants/<uuid:tenant_id>/audit")
@require(Permission.AUDIT_READ)
def list_events(tenant_id: UUID) -> ResponseReturnValue:
    """Show what was done to a tenant in the control plane, also what it does not see itself, a page of it."""
    tenant, state = queries.get_tenant(tenant_id), read_state(with_tenant=False)
    page = list_control_events(replace(make_filter(state), about=tenant_id), state.cursor)
    return show_tab("list_events", tenant, state=state, page=page, to_tenant=False)


@bp.get("/tenants/<uuid:tenant_id>/edit")
@require(Permission.TENANT_EDIT)
def edit_tenant(tenant_id: UUID) -> ResponseReturnValue:
    """Show the form of a tenant's basics."""
    tenant = queries.get_tenant(tenant_id)
    return render("tenants/admin/edit_tenant.html", tenant=tenant, form=BasicsForm.of(tenant))


@bp.post("/tenants/<uuid:tenant_id>/edit")
@require(Permission.TENANT_EDIT)
def update_tenant(tenant_id: UUID) -> ResponseReturnValue:
    """Change a tenant's basics; an invalid form comes back with 422, a late one with 409 and what was entered."""
    form, status = BasicsForm(), 422
    if form.validate_on_submit():
        try:
            services.update_tenant(tenant_id, form.basics, seen=form.seen_at, actor=current_actor())
            flash(f"{form.name.data} was saved.", "success")
            return redirect_to(url_for(".show_tenant", tenant_id=tenant_id))
        except ConflictError as error:
            form.form_errors, status = [str(error)], 409
    tenant = queries.get_tenant(tenant_id)
    form.show_version(tenant)
    return render("tenants/admin/edit_tenant.html", status, tenant=tenant, form=form)


def show_tab(tab: str, tenant: Tenant, /, status: int = 200, **context: Any) -> Response:
    """Render one tab of a tenant's page, with what every tab shows above it."""
    return render(
        f"tenants/admin/{tab}.html",
        status,
        tenant=tenant,
        tabs=_tabs(tenant.id, tab),
        actions=[action for action in list_actions(tenant.status) if may(action.permission)],
        undo=take_undo(),
        **context,
    )


def _tabs(tenant_id: UUID, current: str) -> list[dict[str, object]]:
    return [
        {"label": label, "href": url_for(f"tenants_admin.{page}", tenant_id=tenant_id), "current": page == current}
        for label, page, permission in TABS
        if may(permission)
    ]
