"""Registering servers, changing and removing them, measuring them, and keeping places for homes."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.exc import IntegrityError

from app.audit.services import record_event, unaudited
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.server_urls import ServerUrls
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import ConfigError, ConflictError, InputError, StateError
from app.core.ids import new_id
from app.core.runtime import current_settings
from app.core.tenancy.scopes import Login
from app.operations.services import start_operation
from app.servers import queries
from app.servers.inspection import Measurement, check_owner_url, measure
from app.servers.models import Server, ServerState
from app.servers.preparing import PREPARE
from app.servers.removal import REMOVE
from app.servers.url_changes import CHANGE_URL, staged

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
NAME_RULE = "Use small letters, digits and dashes, beginning with a letter, at most 31."
NO_ROOM = "No database server has room for another home."
log = structlog.get_logger()


@dataclass(frozen=True)
class ServerTerms:
    """What staff decide about a server."""

    region: str
    capacity: int
    accepts_homes: bool
    ready_schema_count: int = 0
    ready_database_count: int = 0
    storage_bytes: int | None = None


def register_server(name: str, terms: ServerTerms, *, url: str, actor: Actor) -> UUID:
    """Write a server and start its preparation; return the server.

    Errors: InputError for a name that is malformed or taken, or a URL that is no owner's.
    Effect: the URL in a file of mode 0600, and nowhere else.
    """
    if not NAME.fullmatch(name):
        raise InputError(NAME_RULE, "name")
    check_owner_url(url)
    urls, server = ServerUrls(current_settings()), Server(id=new_id(), name=name, **asdict(terms))
    with transaction():
        _insert(server)
        # Whoever else wants this name waits at its row, so the file is ours to write and, should this fail, to remove.
        urls.write(name, Login.OWNER, url)
        try:
            record_event(AuditAction.SERVER_REGISTERED, target=server.target, actor=actor)
            payload = {"server": name, "server_id": str(server.id)}
            start_operation(PREPARE, tenant_id=None, payload=payload, actor=actor)
        except BaseException:
            urls.remove(name)
            raise
    return server.id


def update_server(server_id: UUID, terms: ServerTerms, *, actor: Actor) -> None:
    """Change what was decided about a server; homes that are there stay. What stays the same is no event."""
    with transaction():
        server = queries.get_server(server_id, lock=True)
        wanted = asdict(terms)
        changes = {key: (getattr(server, key), value) for key, value in wanted.items() if getattr(server, key) != value}
        for key, (_old, new) in changes.items():
            setattr(server, key, new)
        if changes:
            record_event(AuditAction.SERVER_UPDATED, target=server.target, actor=actor, changes=changes)


@unaudited("start_operation records who asked, the operation's last step that it was changed")
def change_url(server_id: UUID, *, url: str, actor: Actor) -> UUID:
    """Start the operation that checks another address of a server and then uses it; return the operation.

    Errors: InputError for a URL that is no owner's; StateError for the main server, whose address is configured, and
    for one that is not ready; ConflictError while another operation on it is open.
    Effect: the URL in a file of mode 0600, beside the one in force.
    """
    check_owner_url(url)
    urls = ServerUrls(current_settings())
    with transaction():
        server = _get_idle(server_id)
        if server.state != ServerState.READY:
            raise StateError(f"{server.name} is not ready; retry its preparation, or take it back.")
        urls.write(staged(server.name), Login.OWNER, url)
        try:
            return start_operation(CHANGE_URL, tenant_id=None, payload={"server": server.name}, actor=actor)
        except BaseException:
            urls.remove(staged(server.name))
            raise


def remove_server(server_id: UUID, *, actor: Actor) -> UUID:
    """Start removing a server without homes, which takes none from now on; return the operation.

    Errors: StateError for the main server, and for one with homes; ConflictError while an operation on it is open.
    """
    with transaction():
        server = _get_idle(server_id)
        homes = queries.count_homes(server.name).get(server.name)
        if homes is not None:
            raise StateError(f"{homes.total} homes lie on {server.name}. Move them away first.")
        server.accepts_homes = False
        record_event(AuditAction.SERVER_REMOVED, target=server.target, actor=actor)
        return start_operation(REMOVE, tenant_id=None, payload={"server": server.name}, actor=actor)


@unaudited("keeping a place is part of what the tenant's own event says")
def reserve_place(name: str) -> Server:
    """Hold a server's row until the transaction ends, so that of two homes for its last place one gets it; return it.

    Errors: InputError on the field `server` when it takes no home now.
    """
    server = queries.find_server_by_name(name, lock=True)
    if server is None:
        raise InputError(f"There is no server “{name}”.", "server")
    if not server.takes_homes:
        raise InputError(f"{name} takes no homes now.", "server")
    homes = queries.count_homes(name).get(name)
    if homes is not None and homes.total >= server.capacity:
        raise InputError(f"{name} is full: {homes.total} of {server.capacity} homes.", "server")
    return server


@unaudited("keeping a place is part of what the tenant's own event says")
def reserve_any_place(region: str) -> str:
    """Keep a place on a server with room, of the region before others and the main one before others; return its name.

    Errors: InputError on the field `server` when none has room.
    """
    found = sorted(queries.list_open_servers(), key=lambda server: (server.region != region, not server.is_main))
    for server in found:
        try:
            reserve_place(server.name)
        except InputError:
            continue  # Somebody took its last place since the look.
        return server.name
    raise InputError(NO_ROOM, "server")


@unaudited("a measurement is nobody's decision")
def measure_servers() -> None:
    """Measure each ready server; one that is away is shown so, with what was known of it before."""
    for name in [server.name for server in queries.list_servers() if server.state == ServerState.READY]:
        found = _try_to_measure(name)
        with transaction():
            server = queries.find_server_by_name(name, lock=True)
            if server is not None:
                _note(server, found)


def _insert(server: Server) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(server)
    except IntegrityError as error:
        raise InputError(f"There is a server {server.name} already.", "name") from error


def _get_idle(server_id: UUID) -> Server:
    server = queries.get_server(server_id, lock=True)
    if server.is_main:
        raise StateError("The main server is configured in the environment, not here.")
    if queries.find_open_operation(server.name) is not None:
        raise ConflictError(f"An operation on {server.name} is going on; wait for its end.")
    return server


def _try_to_measure(name: str) -> Measurement | None:
    try:
        return measure(current_settings(), name)
    except (psycopg.Error, ConfigError) as error:
        log.warning("server_away", server=name, error=type(error).__name__)
        return None


def _note(server: Server, found: Measurement | None) -> None:
    server.measured_at, server.is_reachable = clock.now(), found is not None
    if found is not None:
        for key, value in asdict(found).items():
            setattr(server, key, value)
