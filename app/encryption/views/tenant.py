"""Keys in a tenant's portal: which it has, and how they stand."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.core.permissions import Permission
from app.core.tenancy.scopes import current_tenant_id
from app.encryption import queries
from app.encryption.wording import PURPOSES, STATES
from app.web.decorators import require
from app.web.hosts import Surface
from app.web.htmx import render

bp = Blueprint("encryption_tenant", __name__, subdomain=Surface.TENANT)


@bp.get("/encryption")
@require(Permission.WORKSPACE_KEY_READ)
def show_keys() -> ResponseReturnValue:
    """Show the tenant's keys, and what is stored encrypted under them."""
    tenant_id = current_tenant_id()
    return render(
        "encryption/tenant/show_keys.html",
        purposes=PURPOSES,
        states=STATES,
        keys=queries.list_data_keys(tenant_id),
        keks=queries.list_keks(tenant_id),
        coverage=[use for use in queries.describe_coverage() if use.is_of_tenants],
    )
