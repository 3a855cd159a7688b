"""The operation that removes a server: what higher levels keep there goes first, then it is forgotten."""

from __future__ import annotations

from app.core.database.server_urls import ServerUrls
from app.core.database.session import db
from app.core.database.transactions import after_commit
from app.core.runtime import current_settings
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation
from app.servers import queries
from app.servers.url_changes import staged

REMOVE = "servers.remove"
_more_steps: dict[str, Step] = {}


def add_removal_step(step: Step) -> None:
    """Let a higher level take away what it has kept on a server; the same name replaces it."""
    _more_steps[step.name] = step
    declare_removal()


def declare_removal() -> None:
    """Declare the operation as far as its steps are known."""
    steps = (*_more_steps.values(), Step("forget", "Forget the server", StepScope.PLATFORM, forget))
    register_operation(OperationKind(name=REMOVE, title="Remove server", steps=steps))


def forget(given: StepInput) -> None:
    """Forget a server, and its URLs."""
    server, urls = queries.find_server_by_name(given.payload["server"], lock=True), ServerUrls(current_settings())
    if server is not None:
        db.session.delete(server)
        after_commit(lambda: urls.remove(server.name))
        after_commit(lambda: urls.remove(staged(server.name)))
