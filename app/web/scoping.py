"""The before-request hook: every request on a surface runs in exactly one scope, and leaves it clean."""

from __future__ import annotations

from contextlib import ExitStack

from flask import Flask, abort, g, request

from app.core.database.versions import serves
from app.core.errors import UnavailableError
from app.core.tenancy.scopes import TenantRoute, find_scope, platform_scope, tenant_scope
from app.web.hosts import Surface, current_place, current_route

UPGRADE_SECONDS = 30


def init_scoping(app: Flask) -> None:
    """Enter the scope of the surface before each request and leave it after."""
    app.before_request(enter_scope)
    app.teardown_request(_leave_scope)


def enter_scope() -> None:
    """Scope everything that this request queries to its host: a tenant's rows, or the platform's.

    Errors: 404 on an unknown host; UnavailableError when the registry could not be asked, or the home is of a version
    that this release does not serve.
    """
    place = current_place()
    if place.fault is not None:
        raise place.fault
    surface = place.surface
    if surface is Surface.PROBE or request.endpoint == "static":
        return
    if surface is Surface.UNKNOWN:
        abort(404)
    g.scope_exit = ExitStack()
    if surface is not Surface.TENANT:
        g.scope_exit.enter_context(platform_scope(f"request {request.path}"))
    elif current_route().placement is not None:
        _refuse_other_version(current_route())
        g.scope_exit.enter_context(tenant_scope(current_route(), reason=f"request {request.path}"))


def _refuse_other_version(route: TenantRoute) -> None:
    # Before the home is built nobody knows its version; the gate answers then.
    if route.home_state is not None and not serves(route.home_version):
        raise UnavailableError("This workspace is being upgraded; please try again shortly.", UPGRADE_SECONDS)


def _leave_scope(_error: BaseException | None) -> None:
    stack = g.pop("scope_exit", None)
    if stack is not None:
        stack.close()
    assert find_scope() is None, "a request left its scope open"  # noqa: S101  # A leak must never pass silently.
