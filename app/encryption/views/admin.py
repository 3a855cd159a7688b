"""Keys in the platform portal: the platform's own, and each tenant's."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, url_for
from flask.typing import ResponseReturnValue

from app.core.encryption.keys import KeyPurpose
from app.core.errors import InputError
from app.core.permissions import Permission
from app.encryption import queries, services
from app.encryption.forms import RotationForm
from app.encryption.kinds import ROTATE
from app.encryption.wording import PURPOSES, STATES
from app.operations.queries import find_latest_operation
from app.tenants.queries import get_tenant
from app.web.decorators import require
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor

bp = Blueprint("encryption_admin", __name__, subdomain=Surface.ADMIN)


@bp.get("/keys")
@require(Permission.KEY_READ)
def show_keys() -> ResponseReturnValue:
    """Show the platform's keys, the root key that wraps them, and what is stored encrypted."""
    return render(
        "encryption/admin/show_keys.html",
        purposes=PURPOSES,
        states=STATES,
        keys=queries.list_data_keys(None),
        keks=queries.list_keks(None),
        root_key=queries.find_root_key(None),
        coverage=queries.describe_coverage(),
    )


@bp.post("/keys/rotations")
@require(Permission.KEY_ROTATE)
def create_rotation() -> ResponseReturnValue:
    """Start rotating one of the platform's keys, and show how it goes on."""
    return _rotate(None)


@bp.get("/tenants/<uuid:tenant_id>/keys")
@require(Permission.KEY_READ)
def show_tenant_keys(tenant_id: UUID) -> ResponseReturnValue:
    """Show how a tenant's keys stand."""
    return render(
        "encryption/admin/show_tenant_keys.html",
        tenant=get_tenant(tenant_id),
        purposes=PURPOSES,
        states=STATES,
        keys=queries.list_data_keys(tenant_id),
        keks=queries.list_keks(tenant_id),
        root_key=queries.find_root_key(tenant_id),
        operation=find_latest_operation(tenant_id, ROTATE),
    )


@bp.post("/tenants/<uuid:tenant_id>/keys/rotations")
@require(Permission.KEY_ROTATE)
def create_tenant_rotation(tenant_id: UUID) -> ResponseReturnValue:
    """Start rotating one of a tenant's keys, and show how it goes on."""
    return _rotate(get_tenant(tenant_id).id)


def _rotate(owner_id: UUID | None) -> ResponseReturnValue:
    form = RotationForm()
    if not form.validate_on_submit():
        raise InputError("There is no such key.")
    operation_id = services.start_rotation(owner_id, KeyPurpose(form.purpose.data), actor=current_actor())
    flash("The rotation has begun; everybody works on meanwhile.", "success")
    return redirect_to(url_for("operations_admin.show_operation", operation_id=operation_id))
