"""The demo's second database server: registered as any other, and followed when it comes up at another port."""

from __future__ import annotations

from app.core.actors import Actor
from app.core.database.server_urls import ServerUrls
from app.core.errors import StateError
from app.core.runtime import current_settings
from app.core.tenancy.scopes import DatabaseAddress, Login, platform_scope
from app.operations.queries import get_operation
from app.operations.runner import run_operation
from app.operations.services import retry_operation
from app.servers import queries, services
from app.servers.models import ServerState
from app.servers.services import ServerTerms

ANNEX = "annex"
ACTOR = Actor.system("demo")
TERMS = ServerTerms("eu-west", 1_000, accepts_homes=True)


def ensure_annex() -> str:
    """Bring the second server to the state in which homes can be placed on it; return what was done, for the log.

    Called outside any scope, with the owner's login at hand, because no worker runs yet.

    Errors: StateError in production, or without the server's URL.
    """
    settings = current_settings()
    if settings.is_production or settings.demo_server_url is None:
        raise StateError("The demo’s second server is for development, and make run starts it.")
    url = settings.demo_server_url.get_secret_value()
    with platform_scope("demo looks for its server"):
        server = queries.find_server_by_name(ANNEX)
        if server is None:
            services.register_server(ANNEX, TERMS, url=url, actor=ACTOR)
    if server is None or server.state != ServerState.READY:
        _finish()
        return "The second server was prepared."
    if ServerUrls(settings).get(Login.OWNER, DatabaseAddress(ANNEX)) == url:
        return "The second server is where it was."
    with platform_scope("demo follows its server"):
        services.change_url(server.id, url=url, actor=ACTOR)
    _finish()
    return "The second server is followed to its port."


def has_annex() -> bool:
    """Tell whether the demo's tenants may lie on a second server; runs in the platform's scope."""
    server = queries.find_server_by_name(ANNEX)
    return server is not None and server.state == ServerState.READY


def _finish() -> None:
    """Run the newest operation on the server to its end, also one that was cut short or has failed."""
    with platform_scope("demo looks at its server"):
        operation = queries.find_latest_operation(ANNEX)
        assert operation is not None  # noqa: S101  # Its registration has started one.
        if operation.may_be_retried:
            retry_operation(operation.id, actor=ACTOR)
    run_operation(operation.id)
    with platform_scope("demo looks again"):
        assert get_operation(operation.id).is_final  # noqa: S101  # It would have raised.
