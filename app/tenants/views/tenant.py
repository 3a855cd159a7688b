"""What a tenant's own portal shows of its status."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.tenants.gate import PREPARING_PATH
from app.web.decorators import allow_anybody
from app.web.hosts import Surface
from app.web.htmx import redirect_to

bp = Blueprint("tenants_tenant", __name__, subdomain=Surface.TENANT)


@bp.get(PREPARING_PATH)
@allow_anybody("who waits for a workspace has no account in it yet")
def show_preparing() -> ResponseReturnValue:
    """Go to the start page: while the workspace is being prepared, the gate answers here and nobody gets so far."""
    return redirect_to("/")
