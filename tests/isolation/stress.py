"""What one request after another may do to a pooled connection, in every tier, with a ledger kept beside."""

from __future__ import annotations

import ctypes
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg
from sqlalchemy import text

from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import TenantRoute, find_scope, tenant_scope
from app.settings.models import Setting
from app.web.hosts import Portal
from tests.isolation.grounds import home_of

KEY = "stress"
PID = text("select pg_backend_pid()")


class BrokenError(Exception):
    """What goes wrong in the middle of a request."""


class Stress:
    """Rounds of requests; each first compares what its tenant sees with the ledger."""

    def __init__(self, app: Portal, routes: list[TenantRoute], superuser_urls: dict[str, str], seed: int) -> None:
        self.app, self.routes, self.superuser_urls = app, routes, superuser_urls
        self.random = random.Random(seed)
        self.ledger = {route.tenant_id: "" for route in routes}
        self.backends: dict[str, set[int]] = {}
        self.counts = dict.fromkeys(ACTS, 0)

    def run(self, rounds: int) -> None:
        """Let tenants take turns at random, each doing something at random."""
        for number in range(rounds):
            name = self.random.choices([*ACTS], weights=[weight for weight, _act in ACTS.values()])[0]
            self.counts[name] += 1
            route = self.random.choice(self.routes)
            ACTS[name][1](self, route, f"round {number}")
            assert find_scope() is None

    def look(self, route: TenantRoute) -> None:
        """Read past the ORM: exactly the tenant's own row, with the value that it has committed."""
        rows = db.session.execute(
            text(f"select tenant_id, value #>> '{{}}' from {home_of(route).schema}.settings where key = '{KEY}'")
        ).all()
        expected = [(route.tenant_id, self.ledger[route.tenant_id])] if self.ledger[route.tenant_id] else []
        assert [tuple(row) for row in rows] == expected
        self.backends.setdefault(str(home_of(route).address), set()).add(db.session.execute(PID).scalar_one())


def write(value: str) -> None:
    """Write the tenant's one setting through the ORM."""
    found = db.session.query(Setting).filter(Setting.key == KEY).one_or_none()
    if found is None:
        db.session.add(Setting(key=KEY, value=value))
    else:
        found.value = value
    db.session.flush()


def commit(stress: Stress, route: TenantRoute, value: str) -> None:
    with tenant_scope(route, reason="stress"), transaction():
        stress.look(route)
        write(value)
    stress.ledger[route.tenant_id] = value


def read(stress: Stress, route: TenantRoute, _value: str) -> None:
    with tenant_scope(route, reason="stress"):
        stress.look(route)


def roll_back(stress: Stress, route: TenantRoute, value: str) -> None:
    with tenant_scope(route, reason="stress"):
        stress.look(route)
        write(value)
        db.session.rollback()
        stress.look(route)


def undo_a_savepoint(stress: Stress, route: TenantRoute, value: str) -> None:
    with tenant_scope(route, reason="stress"), transaction():
        write(value)
        with suppress(BrokenError), db.session.begin_nested():
            write("lost")
            raise BrokenError
    stress.ledger[route.tenant_id] = value
    read(stress, route, value)


def break_off(stress: Stress, route: TenantRoute, value: str) -> None:
    with suppress(BrokenError), tenant_scope(route, reason="stress"), transaction():
        write(value)
        raise BrokenError
    read(stress, route, value)


def kill_the_thread(stress: Stress, route: TenantRoute, value: str) -> None:
    """End a thread from outside while it holds a connection in the middle of a transaction."""
    inside = threading.Event()

    def work() -> None:
        with suppress(SystemExit), stress.app.app_context(), tenant_scope(route, reason="stress"), transaction():
            write(value)
            inside.set()
            while True:
                time.sleep(0.001)

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(30)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
    thread.join()
    read(stress, route, value)


def kill_the_backend(stress: Stress, route: TenantRoute, value: str) -> None:
    """End the server's process under a transaction."""
    with suppress(Exception), tenant_scope(route, reason="stress"), transaction():
        write(value)
        pid = db.session.execute(PID).scalar_one()
        with psycopg.connect(stress.superuser_urls[home_of(route).address.server], autocommit=True) as superuser:
            superuser.execute("select pg_terminate_backend(%s, 5000)", (pid,))
        stress.look(route)
    read(stress, route, value)


# How often each comes, out of a hundred.
ACTS: dict[str, tuple[int, Callable[[Stress, TenantRoute, str], None]]] = {
    "commit": (30, commit),
    "read": (25, read),
    "roll back": (15, roll_back),
    "savepoint": (15, undo_a_savepoint),
    "break off": (10, break_off),
    "kill the thread": (2, kill_the_thread),
    "kill the backend": (1, kill_the_backend),
}
