"""What a refusal or an outage of the database means to the rest of the product."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from app.core.errors import UnavailableError
from app.core.tenancy.errors import CONTEXT_STATES, ROUTE_STATES, HomeUnavailableError, ScopeError
from app.core.tenancy.registry import Registry
from app.core.tenancy.scopes import find_scope

READ_ONLY = "25006"  # What a demoted primary says to a write; every pooled connection is then on the wrong server.
_OUTAGES = ("08", "57P")  # Connection exceptions; the server is shutting down or starting up.


def listen_for_faults(engine: Engine, registry: Registry) -> None:
    """Turn the engine's refusals into errors of ours and drop the routes and connections they prove wrong."""

    def on_error(context: ExceptionContext) -> None:
        state = getattr(context.original_exception, "sqlstate", None) or ""
        if state == READ_ONLY:
            context.is_disconnect = True
        if state in CONTEXT_STATES:
            _refused(state, registry, context.original_exception)
        if context.is_disconnect or state.startswith(_OUTAGES) or _never_connected(context):
            raise UnavailableError("The database does not answer; please try again shortly.") from (
                context.original_exception
            )

    event.listen(engine, "handle_error", on_error)


def _refused(state: str, registry: Registry, cause: Any) -> None:
    if state not in ROUTE_STATES:
        raise ScopeError(f"The database refused the tenant context: {CONTEXT_STATES[state]}.") from cause
    scope = find_scope()
    if scope is not None and scope.tenant_id is not None:
        registry.forget(scope.tenant_id)
    raise HomeUnavailableError("This workspace is being maintained; please try again shortly.") from cause


def _never_connected(context: ExceptionContext) -> bool:
    return context.connection is None and isinstance(context.sqlalchemy_exception, DBAPIError)
