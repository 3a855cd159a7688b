"""The gate of a tenant's portal: before anything else, what the tenant's status lets through."""

from __future__ import annotations

from flask import Flask, Response, abort, current_app, request

from app.core.permissions import Permission
from app.core.tenancy.scopes import TenantRoute
from app.tenants import queries
from app.tenants.status import OPEN, TenantStatus
from app.web.error_pages import Problem, is_api_request, show_problem, show_suspended
from app.web.hosts import Surface, current_route, is_surface
from app.web.htmx import is_fragment_request
from app.web.identity import find_viewer
from app.web.links import public_url

PREPARING_PATH = "/preparing"
RETRY_SECONDS = {TenantStatus.REQUESTED: 60, TenantStatus.PROVISIONING: 2, TenantStatus.FAILED: 60}
# What people can do while their tenant is suspended.
DETAILS_PATH = "/suspended"
SUSPENDED_PATHS = ("/sign-in", "/sign-out", DETAILS_PATH)
PREPARING = {
    TenantStatus.REQUESTED: Problem(
        503, "Confirm the sign-up first", "We sent a link by e-mail. The workspace is made as soon as you follow it."
    ),
    TenantStatus.PROVISIONING: Problem(
        503, "Your workspace is being prepared", "This takes a few seconds. The page goes on by itself."
    ),
    TenantStatus.FAILED: Problem(
        503,
        "Your workspace is not ready yet",
        "Preparing it did not succeed. The team behind it knows and will try again; nothing you entered is lost.",
    ),
}
CLOSED = {
    TenantStatus.ARCHIVED: Problem(
        403, "This workspace is closed", "Its data is kept. The team that runs this platform can open it again."
    ),
    TenantStatus.DELETING: Problem(410, "This workspace is gone", "It was closed for good and its data is erased."),
}
HELP = "The owners of this workspace, and the team that runs this platform."


def init_gate(app: Flask) -> None:
    """Judge every request to a tenant's portal, before anybody asks who is looking: a home may not be there."""
    app.before_request(check_status)


def check_status() -> Response | None:
    """Answer instead of the view unless the tenant's status lets the request through.

    Errors: 404 for a deleted tenant.
    """
    if not is_surface(Surface.TENANT) or request.endpoint == "static":
        return None
    route = current_route()
    status = TenantStatus(route.status)
    if status in OPEN:
        return None
    if status is TenantStatus.DELETED:
        abort(404)
    if status is TenantStatus.SUSPENDED:
        return None if _may_stay(request.path) else _show_suspended(route)
    if status in CLOSED:
        # A closed portal has no start page of its own.
        return show_problem(CLOSED[status], start_url=public_url())
    return _show_preparing(status, route)


def _may_stay(path: str) -> bool:
    return any(path == allowed or path.startswith(f"{allowed}/") for allowed in SUSPENDED_PATHS)


def _show_suspended(route: TenantRoute) -> Response:
    tenant, viewer = queries.get_tenant(route.tenant_id), find_viewer()
    if viewer is None:
        return show_suspended(tenant.name, None, HELP)
    details_url = DETAILS_PATH if viewer.may(Permission.WORKSPACE_SETTINGS_EDIT) else None
    return show_suspended(tenant.name, tenant.status_reason or "No reason was given.", HELP, details_url=details_url)


def _show_preparing(status: TenantStatus, route: TenantRoute) -> Response:
    problem = PREPARING[status]
    if is_api_request():
        response = show_problem(problem)
    else:
        # Past the context processors: they ask who is looking, and there is no home yet to answer.
        name = "_preparing" if is_fragment_request() else "tenant/show_preparing"
        template = current_app.jinja_env.get_template(f"tenants/{name}.html")
        page = template.render(problem=problem, slug=route.slug, seconds=RETRY_SECONDS[status], path=PREPARING_PATH)
        response = Response(page, problem.status, mimetype="text/html")
    response.headers["Retry-After"] = str(RETRY_SECONDS[status])
    return response
