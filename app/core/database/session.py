"""`db`: the Flask-SQLAlchemy extension whose sessions belong to scopes, not to app contexts."""

from __future__ import annotations

import os
from typing import Any, NoReturn
from weakref import WeakSet

import psycopg
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine

from app.core.config import Settings, root_secret
from app.core.database.engines import Engines
from app.core.database.models import Record
from app.core.database.one_database import install_one_database, is_control
from app.core.database.server_urls import CONNECT_ARGUMENTS, login_url
from app.core.database.tenant_criteria import install_criteria
from app.core.secrets import derive_key
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.registry import Registry
from app.core.tenancy.scopes import Login, current_scope, find_scope, on_leave

_OUTSIDE = object()
_apps: WeakSet[Flask] = WeakSet()


class ScopedSession(FlaskSession):
    """A session that talks to the database of the running scope."""

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **kwargs: Any) -> Engine | Connection:
        """Return the engine of the running scope's home, or the main server's for a table of the control plane.

        Errors: ScopeError outside of a scope.
        """
        if bind is not None:
            given: Engine | Connection = bind
            return given
        return engines().for_scope(current_scope(), control=mapper is not None and is_control(mapper))

    def _refuse_bulk(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise ScopeError("The old bulk methods pass the tenant's checks by; execute insert() or update() instead.")

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _refuse_bulk


def _scope_key() -> object:
    # Flask-SQLAlchemy's teardown asks for a session outside any scope; it gets one that can query nothing.
    return find_scope() or _OUTSIDE


db = SQLAlchemy(
    metadata=Record.metadata,
    session_options={"class_": ScopedSession, "scopefunc": _scope_key, "expire_on_commit": False},
)
install_criteria(db.session)
install_one_database(db.session)
on_leave(db.session.remove)


def init_database(app: Flask, settings: Settings, *, polls: bool) -> None:
    """Give the application its engines, its session and its registry; nothing connects yet."""
    registry = Registry(
        connect=lambda: psycopg.connect(login_url(settings, Login.PLATFORM), **CONNECT_ARGUMENTS),
        wrapping_key=derive_key(root_secret(settings), "context-wrap"),
        polls=polls,
    )
    app.config["SQLALCHEMY_DATABASE_URI"] = _driver_url(login_url(settings, Login.PLATFORM))
    db.init_app(app)
    app.extensions["tenantry_engines"] = Engines(settings, registry)
    app.extensions["tenantry_registry"] = registry
    _apps.add(app)


def _drop_after_fork() -> None:
    # The parent still uses these connections, so a child forgets them without closing.
    for app in _apps:
        app.extensions["tenantry_engines"].dispose(close=False)
        app.extensions["tenantry_registry"].reset_after_fork()


os.register_at_fork(after_in_child=_drop_after_fork)


def engines() -> Engines:
    """Return the running application's engines."""
    found: Engines = current_app.extensions["tenantry_engines"]
    return found


def registry() -> Registry:
    """Return the running application's registry."""
    found: Registry = current_app.extensions["tenantry_registry"]
    return found


def _driver_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
