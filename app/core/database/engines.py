"""Engines: one per login, plus the view of it in which a home's tables have their real schema."""

from __future__ import annotations

import select
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError

from app.core.config import Settings
from app.core.database import dialect
from app.core.database.faults import listen_for_faults
from app.core.errors import ConfigError
from app.core.tenancy.boot_check import refuse_powerful_login
from app.core.tenancy.registry import Registry
from app.core.tenancy.scopes import MAIN_DATABASE, Login, Scope

CONNECTION_AGE_SECONDS = 1800
CONNECT_TIMEOUT_SECONDS = 5

log = structlog.get_logger()


@dataclass
class Engines:
    """The engines of one process; nothing connects before the first use."""

    settings: Settings
    registry: Registry
    _by_login: dict[Login, Engine] = field(default_factory=dict)
    _by_schema: dict[tuple[Login, str], Engine] = field(default_factory=dict)

    def for_scope(self, scope: Scope) -> Engine:
        """Return the engine that serves a scope: its login, its home's schema."""
        if scope.placement is None:
            return self.for_login(scope.login)
        key = (scope.login, scope.placement.schema)
        if key not in self._by_schema:
            engine = self.for_login(scope.login)
            self._by_schema[key] = engine.execution_options(schema_translate_map={"tenant": scope.placement.schema})
        return self._by_schema[key]

    def for_login(self, login: Login) -> Engine:
        """Return a login's engine, made at the first use.

        Errors: ConfigError when this process was not given that login.
        """
        if login not in self._by_login:
            self._by_login[login] = self._create(login)
        return self._by_login[login]

    def dispose(self, *, close: bool = True) -> None:
        """Drop every connection; after a fork with close=False, because the parent still uses them."""
        for engine in self._by_login.values():
            engine.dispose(close=close)

    def _create(self, login: Login) -> Engine:
        url = make_url(login_url(self.settings, login)).set(drivername="postgresql+tenantry")
        engine = create_engine(
            url,
            login=login.value,
            context_key=partial(self.registry.context_key, MAIN_DATABASE),
            pool_size=self.settings.database_pool_size,
            max_overflow=self.settings.database_pool_size,
            pool_recycle=CONNECTION_AGE_SECONDS,
            connect_args=connect_arguments(self.settings),
            hide_parameters=True,  # An error's text reaches logs; a tenant's values must not.
        )
        event.listen(engine, "checkin", _refuse_open_transaction)
        event.listen(engine, "checkout", _refuse_closed_connection)
        if login is not Login.OWNER:
            event.listen(engine, "first_connect", refuse_powerful_login)
        listen_for_faults(engine, self.registry)
        return engine


def login_url(settings: Settings, login: Login) -> str:
    """Return the connection URL of a login.

    Errors: ConfigError when it is not configured.
    """
    urls = {
        Login.OWNER: settings.database_url,
        Login.PLATFORM: settings.database_platform_url,
        Login.TENANT: settings.database_tenant_url,
    }
    url = urls[login]
    if url is None:
        raise ConfigError(f"This process was not given the {login} login.")
    return url.get_secret_value()


def connect_arguments(settings: Settings) -> dict[str, Any]:
    """Return what every connection is opened with; nothing is ever set session-wide later."""
    return {
        "autocommit": True,
        "prepare_threshold": 5 if settings.database_prepare else None,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": "tenantry",
    }


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


__all__ = ["Engines", "connect_arguments", "dialect", "login_url"]
