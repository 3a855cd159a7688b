"""Engines: one per login and database, plus the view of it in which a home's tables have their real schema."""

from __future__ import annotations

import select
import threading
from collections import OrderedDict
from functools import partial
from typing import Any

import structlog
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError

from app.core.config import Settings
from app.core.database.budget import ConnectionBudget
from app.core.database.dialect import NAME as DIALECT
from app.core.database.faults import listen_for_faults
from app.core.database.server_urls import CONNECT_ARGUMENTS, ServerUrls
from app.core.tenancy.boot_check import refuse_powerful_login, refuse_unsafe_path
from app.core.tenancy.registry import Registry
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, Login, Scope, find_scope

CONNECTION_AGE_SECONDS = 1800
# A backend keeps about 0.2 MB for each schema that it has touched.
SCHEMAS_PER_CONNECTION = 50
OTHER_DATABASES = 32
OTHER_POOL_SIZE = 2
KEPT_VIEWS = 2_000

log = structlog.get_logger()

_Key = tuple[Login, DatabaseAddress, int]


class Engines:
    """The engines of one process; nothing connects before the first use.

    The main server's stay. Of the other databases' only the latest used are kept, each with few connections, and all
    of them share one budget.
    """

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.urls = ServerUrls(settings)
        self.budget = ConnectionBudget(settings.database_connections, self._free_idle)
        self._engines: OrderedDict[_Key, Engine] = OrderedDict()
        self._views: dict[tuple[_Key, str], Engine] = {}
        self._lock = threading.RLock()

    def for_scope(self, scope: Scope, *, control: bool = False) -> Engine:
        """Return the engine that serves a scope: its home's, or for a control table the main server's.

        Where the home lies in the main database the two are one, and so is their transaction.
        """
        home = scope.placement
        if home is None or (control and home.address != MAIN_DATABASE):
            return self.for_login(scope.login)
        engine = self.for_login(scope.login, home.address)
        key = (self._key(scope.login, home.address), home.schema)
        if key not in self._views:
            if len(self._views) >= KEPT_VIEWS:
                self._views.clear()
            self._views[key] = engine.execution_options(schema_translate_map={"tenant": home.schema})
        return self._views[key]

    def for_login(self, login: Login, address: DatabaseAddress = MAIN_DATABASE) -> Engine:
        """Return a login's engine for a database, made at the first use.

        Errors: ConfigError when this process was not given that login.
        """
        key = self._key(login, address)
        with self._lock:
            if key not in self._engines:
                self._engines[key] = self._create(login, address)
                self._drop_surplus()
            self._engines.move_to_end(key)
            return self._engines[key]

    def dispose(self, *, close: bool = True) -> None:
        """Drop every connection; after a fork with close=False, because the parent still uses them."""
        for engine in [*self._engines.values()]:
            engine.dispose(close=close)
        if not close:
            self.budget.forget()
            self._lock = threading.RLock()  # Another thread of the parent may have held it.

    def _key(self, login: Login, address: DatabaseAddress) -> _Key:
        return login, address, self.urls.stamp(login, address.server)

    def _create(self, login: Login, address: DatabaseAddress) -> Engine:
        url = make_url(self.urls.get(login, address)).set(drivername=f"postgresql+{DIALECT}")
        size = self.settings.database_pool_size if address == MAIN_DATABASE else OTHER_POOL_SIZE
        engine = create_engine(
            url,
            login=login.value,
            context_key=partial(self.registry.context_key, address),
            pool_size=size,
            max_overflow=size,
            pool_recycle=CONNECTION_AGE_SECONDS,
            connect_args=dict(CONNECT_ARGUMENTS),
            hide_parameters=True,  # An error's text reaches logs; a tenant's values must not.
        )
        self.budget.watch(engine)
        event.listen(engine, "checkin", _retire_well_travelled)
        event.listen(engine, "checkin", _refuse_open_transaction)
        event.listen(engine, "checkout", _refuse_closed_connection)
        event.listen(engine, "checkout", _note_schema)
        if login is not Login.OWNER:
            event.listen(engine, "first_connect", refuse_powerful_login)
            event.listen(engine, "first_connect", refuse_unsafe_path)
        listen_for_faults(engine, self.registry)
        return engine

    def _drop_surplus(self) -> None:
        others = [key for key in self._engines if key[1] != MAIN_DATABASE]
        for key in others[: max(0, len(others) - OTHER_DATABASES)]:
            if _is_idle(self._engines[key]):
                self._engines.pop(key).dispose()
                self._views = {view: engine for view, engine in self._views.items() if view[0] != key}

    def _free_idle(self) -> None:
        """Close the connections of every database but the main one that nobody uses now."""
        with self._lock:
            idle = [engine for key, engine in self._engines.items() if key[1] != MAIN_DATABASE and _is_idle(engine)]
        for engine in idle:
            engine.dispose()


def _is_idle(engine: Engine) -> bool:
    # Disposing of a pool that has lent a connection would lose count of it.
    pool: Any = engine.pool
    return bool(pool.checkedout() == 0)


def _note_schema(_dbapi_connection: Any, record: Any, _proxy: Any) -> None:
    scope = find_scope()
    if scope is not None and scope.placement is not None:
        record.info.setdefault("schemas", set()).add(scope.placement.schema)


def _retire_well_travelled(dbapi_connection: Any, record: Any) -> None:
    """Close a connection whose backend has served so many schemas that it holds much memory for them."""
    if dbapi_connection is not None and len(record.info.get("schemas", ())) >= SCHEMAS_PER_CONNECTION:
        record.invalidate()


def _refuse_closed_connection(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """Empty the pool when the server has hung up meanwhile, so that a restart costs nobody a request.

    A server that ends a session says so; looking whether something waits to be read costs no round trip, a ping would.
    """
    waiting = select.poll()
    waiting.register(dbapi_connection.pgconn.socket, select.POLLIN)
    if waiting.poll(0):
        raise InvalidatePoolError("The server has closed this connection.")


def _refuse_open_transaction(dbapi_connection: Any, record: Any) -> None:
    """Throw away a connection that comes back inside a transaction: its context could serve the next scope.

    Logged and not raised: an error here would cost the pool a place for good.
    """
    if dbapi_connection is None or dbapi_connection.info.transaction_status == TransactionStatus.IDLE:
        return
    log.error("connection_returned_in_transaction")
    record.invalidate()
