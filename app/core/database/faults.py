"""What a refusal or an outage of the database means to the rest of the product."""

from __future__ import annotations

from typing import Any, NoReturn

import structlog
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from app.core.errors import UnavailableError
from app.core.tenancy.errors import CONTEXT_STATES, ROUTE_STATES, HomeUnavailableError, ScopeError
from app.core.tenancy.registry import Registry
from app.core.tenancy.scopes import Tier, current_tenant_id, find_scope

NO_ANSWER = "The database does not answer; please try again shortly."
BUSY = "The database is busy; please try again shortly."
READ_ONLY = "25006"  # What a demoted primary says to a write; every pooled connection is then on the wrong server.
# What a home of its own says when it was taken down after its tenant had moved away.
_ABSENT = ("42P01", "3F000")
_LIMITS = ("55P03", "57014")  # A lock that was not given in time; a statement that took too long, or was cancelled.
_OUTAGES = ("08", "57P")  # Connection exceptions; the server is shutting down or starting up.

log = structlog.get_logger()


def listen_for_faults(engine: Engine, registry: Registry) -> None:
    """Turn the engine's refusals into errors of ours and drop the routes and connections they prove wrong."""

    def on_error(context: ExceptionContext) -> None:
        state = getattr(context.original_exception, "sqlstate", None) or ""
        if state == READ_ONLY:
            context.is_disconnect = True
        if state in CONTEXT_STATES:
            _refused(state, registry, context.original_exception)
        if state in _ABSENT and _is_in_home_of_its_own():
            log.error("home_absent", reason=str(context.original_exception).partition("\n")[0])
            _look_again(registry, context.original_exception)
        if state in _LIMITS:
            raise UnavailableError(BUSY) from context.original_exception
        if _never_connected(context):
            raise _without_connection(context.original_exception) from context.original_exception
        if context.is_disconnect or state.startswith(_OUTAGES):
            raise UnavailableError(NO_ANSWER) from context.original_exception

    event.listen(engine, "handle_error", on_error)


def _refused(state: str, registry: Registry, cause: Any) -> None:
    if state not in ROUTE_STATES:
        raise ScopeError(f"The database refused the tenant context: {CONTEXT_STATES[state]}.") from cause
    _look_again(registry, cause)


def _is_in_home_of_its_own() -> bool:
    scope = find_scope()
    return scope is not None and scope.placement is not None and scope.placement.tier is not Tier.POOL


def _look_again(registry: Registry, cause: Any) -> NoReturn:
    registry.forget(current_tenant_id())  # Only a tenant's scope shows a context or has a home.
    raise HomeUnavailableError("This workspace is being maintained; please try again shortly.") from cause


def describe_connection_error(error: BaseException) -> str:
    """Say in one sentence why no connection came about, for the log and the command line, never for a page."""
    return f"No connection to the database: {' '.join(str(error).split())}"


def _without_connection(cause: BaseException) -> UnavailableError:
    # A wrong password and a server that is away are one to a visitor, and not to who operates it.
    reason = describe_connection_error(cause)
    log.error("database_connection_failed", reason=reason)
    error = UnavailableError(NO_ANSWER)
    error.add_note(reason)
    return error


def _never_connected(context: ExceptionContext) -> bool:
    return context.connection is None and isinstance(context.sqlalchemy_exception, DBAPIError)
