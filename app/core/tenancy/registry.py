"""The route from a host or an id to a tenant's home, cached in the process and fresh within two seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import structlog

from app.core.errors import ConfigError, NotFoundError, UnavailableError
from app.core.secrets import unwrap
from app.core.tenancy.scopes import DatabaseAddress, Placement, TenantRoute, Tier

POLL_SECONDS = 1.0
FRESH_SECONDS = 2.0
CACHE_ENTRIES = 20_000
_COLUMNS = "tenant_id, slug, status, server, database_name, tier, schema_name, epoch, home_state, home_version"
_BY_HOST = f"select {_COLUMNS} from tenancy.resolve_host(%s)"  # noqa: S608  # A constant list of columns.
_BY_ID = f"select {_COLUMNS} from tenancy.resolve_tenant(%s)"  # noqa: S608  # A constant list of columns.
_KEYS = "select server, database_name, version, wrapped from control.context_keys order by version"
_DATABASES = """
select distinct p.server, p.database_name from control.placements p join control.tenants t on t.id = p.tenant_id
where t.status <> 'deleted' order by 1, 2
"""
_VERSION = "select version from control.registry_version"

log = structlog.get_logger()


def context_key_place(address: DatabaseAddress, version: int) -> bytes:
    """Return the associated data that binds a wrapped context key to its database and version."""
    return f"context-key/{address.server}/{address.name}/{version}".encode()


@dataclass
class Registry:
    """One process's view of the registry, over connections of its own with the platform login."""

    connect: Callable[[], psycopg.Connection[Any]]
    wrapping_key: bytes
    polls: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _connection: psycopg.Connection[Any] | None = None
    _routes: dict[str | UUID, TenantRoute | None] = field(default_factory=dict)
    _keys: dict[DatabaseAddress, bytes] = field(default_factory=dict)
    _version: int = -1
    _generation: int = 0
    _polled_at: float = float("-inf")
    _poller: threading.Thread | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)

    def resolve_host(self, name: str) -> TenantRoute | None:
        """Return the tenant that a slug or a verified custom domain names, or None."""
        return self._cached(name, _BY_HOST)

    def find_route(self, tenant_id: UUID) -> TenantRoute | None:
        """Return the route to a tenant, or None when there is no such tenant."""
        return self._cached(tenant_id, _BY_ID)

    def get_route(self, tenant_id: UUID) -> TenantRoute:
        """Return the route to a tenant as the database has it now, whatever is cached.

        Errors: NotFoundError.
        """
        self.forget(tenant_id)
        route = self.find_route(tenant_id)
        if route is None:
            raise NotFoundError("There is no such tenant.")
        return route

    def list_databases(self) -> list[DatabaseAddress]:
        """Return every database that holds homes."""
        return [DatabaseAddress(*row) for row in self.query(_DATABASES)]

    def forget(self, tenant_id: UUID) -> None:
        """Drop what is cached of a tenant, because the database has just refused it."""
        with self._lock:
            self._generation += 1
            stale = [key for key, route in self._routes.items() if route and route.tenant_id == tenant_id]
            for key in stale:
                del self._routes[key]

    def context_key(self, address: DatabaseAddress) -> bytes:
        """Return the newest context key of a database.

        Errors: ConfigError when there is none, or the root secret does not open it.
        """
        key = self._keys.get(address) or self._read_keys().get(address)
        if key is None:
            raise ConfigError(f"Database {address} has no context key; run the migrate command.")
        return key

    def close(self) -> None:
        """Stop the poller and close the connection."""
        self._stopped.set()
        if self._poller is not None:
            self._poller.join()
            self._poller = None
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def reset_after_fork(self) -> None:
        """Forget connections and threads that belong to the parent process; a child reads through."""
        self._lock = threading.RLock()
        self._connection = None  # Closing it would end the parent's session too.
        self._poller = None
        self._polled_at = float("-inf")
        self.polls = False

    def poll(self, connection: psycopg.Connection[Any]) -> None:
        """Read the registry's version once and drop the cache when it has changed."""
        began = time.monotonic()  # A slow answer is as old as its question.
        row = connection.execute(_VERSION).fetchone()
        version = row[0] if row else -1
        with self._lock:
            if version != self._version:
                self._version = version
                self._generation += 1
                self._routes.clear()
                self._keys.clear()
            self._polled_at = began

    def query(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Ask the control plane outside of every scope and transaction; a statement that writes must bear repeating.

        Errors: UnavailableError when the database does not answer, twice.
        """
        with self._lock:
            try:
                return self._ask(statement, parameters)
            except psycopg.OperationalError:
                self._drop_connection()  # The server may have hung up since the last question; a new one tells.
            try:
                return self._ask(statement, parameters)
            except psycopg.OperationalError as error:
                self._drop_connection()
                raise UnavailableError("The database does not answer; please try again shortly.") from error

    def _cached(self, key: str | UUID, statement: str) -> TenantRoute | None:
        self._ensure_poller()
        with self._lock:
            fresh = time.monotonic() - self._polled_at < FRESH_SECONDS
            if fresh and key in self._routes:
                return self._routes[key]
            generation = self._generation
        rows = self.query(statement, (key,))
        route = _route(rows[0]) if rows else None
        with self._lock:
            # A change between our read and now has raised the generation; storing would bring the old route back.
            if generation == self._generation:
                if len(self._routes) >= CACHE_ENTRIES:
                    self._routes.clear()  # Names that strangers guess must not keep tenants out for good.
                self._routes[key] = route
        return route

    def _read_keys(self) -> dict[DatabaseAddress, bytes]:
        generation = self._generation
        keys = {}
        for server, name, version, wrapped in self.query(_KEYS):
            address = DatabaseAddress(server, name)
            keys[address] = unwrap(self.wrapping_key, bytes(wrapped), context_key_place(address, version))
        with self._lock:
            if generation == self._generation:
                self._keys.update(keys)
        return keys

    def _ask(self, statement: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = self.connect()
        return self._connection.execute(statement, parameters).fetchall()

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ensure_poller(self) -> None:
        if not self.polls:
            return
        with self._lock:
            if self._poller is None:
                self._stopped.clear()
                self._poller = threading.Thread(target=self._poll_forever, name="registry-poller", daemon=True)
                self._poller.start()

    def _poll_forever(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        while not self._stopped.is_set():
            try:
                connection = connection or self.connect()
                self.poll(connection)
            except psycopg.Error as error:
                log.warning("registry_poll_failed", error=type(error).__name__)
                if connection is not None:
                    connection.close()
                connection = None
            self._stopped.wait(POLL_SECONDS)
        if connection is not None:
            connection.close()


def _route(row: tuple[Any, ...]) -> TenantRoute:
    tenant_id, slug, status, server, database, tier, schema, epoch, home_state, home_version = row
    placement = Placement(server, Tier(tier), schema, epoch, database) if server is not None else None
    return TenantRoute(tenant_id, slug, status, placement, home_state, home_version)
