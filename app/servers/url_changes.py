"""The operation that moves a server's registration to another address: checked first, then all logins at once."""

from __future__ import annotations

from sqlalchemy.engine import make_url

from app.audit.services import record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.server_urls import ServerUrls
from app.core.errors import StateError
from app.core.runtime import current_settings
from app.core.tenancy.scopes import DatabaseAddress, Login
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation
from app.servers import queries
from app.servers.inspection import check_owner, find_server_of, server_connection

CHANGE_URL = "servers.change_url"
ACTOR = Actor.system("server address change")


def staged(server: str) -> str:
    """Return the name under which the URLs wait that are not in force yet; no server can be called so."""
    return f"{server}~next"


def declare_url_change() -> None:
    """Declare the operation."""
    steps = (
        Step("check", "Check that it is the same database", StepScope.SERVER, check, forget_staged),
        Step("logins", "Check that the runtime logins get in", StepScope.SERVER, check_logins),
        Step("swap", "Use the new address", StepScope.SERVER, swap),
        Step("note", "Note it", StepScope.PLATFORM, note),
    )
    register_operation(OperationKind(name=CHANGE_URL, title="Change a server’s address", steps=steps))


def check(given: StepInput) -> None:
    """Refuse an owner that is not fit, and any database but the server's own."""
    server = given.payload["server"]
    with server_connection(staged(server), Login.OWNER) as connection:
        check_owner(connection)
        if find_server_of(connection, [server]) != server:
            raise StateError(f"This is not the database of server {server}: it holds no homes yet.")


def check_logins(given: StepInput) -> None:
    """Refuse an address at which the runtime logins do not get in with the passwords that they have."""
    server, urls = given.payload["server"], ServerUrls(current_settings())
    place = make_url(urls.get(Login.OWNER, DatabaseAddress(staged(server))))
    for login in (Login.PLATFORM, Login.TENANT):
        known = make_url(urls.get(login, DatabaseAddress(server)))
        url = place.set(username=known.username, password=known.password)
        urls.write(staged(server), login, url.render_as_string(hide_password=False))
        with server_connection(staged(server), login):
            pass


def swap(given: StepInput) -> None:
    """Put the new URLs in force; every process sees it at its next connection."""
    server, urls = given.payload["server"], ServerUrls(current_settings())
    if urls.has(staged(server), Login.OWNER):
        urls.replace(server, {login: urls.get(login, DatabaseAddress(staged(server))) for login in Login})
        urls.remove(staged(server))


def note(given: StepInput) -> None:
    """Record that the address was changed, and nothing of it."""
    server = queries.get_server_by_name(given.payload["server"], lock=True)
    record_event(AuditAction.SERVER_URL_CHANGED, target=server.target, actor=ACTOR)


def forget_staged(given: StepInput) -> None:
    """Forget the new address; the old one was in force all the time."""
    ServerUrls(current_settings()).remove(staged(given.payload["server"]))
