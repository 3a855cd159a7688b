"""A registry whose connections a test can watch, and whose poller it plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from app.core.config import Settings
from app.core.database.session import registry as running_registry
from app.core.tenancy.registry import Registry
from app.core.tenancy.scopes import Login, TenantRoute
from tests.isolation.toy import connect
from tests.tenant_rows import make_tenant_rows


class Line:
    """Connections of the platform login that count what is asked, and can do something at the worst moment."""

    def __init__(self, instance: Settings) -> None:
        self.instance = instance
        self.asked: list[str] = []
        self.after_read: Callable[[], None] | None = None

    def connect(self) -> Line:
        self.connection = connect(self.instance, Login.PLATFORM, autocommit=True)
        return self

    @property
    def closed(self) -> bool:
        return bool(self.connection.closed)

    def close(self) -> None:
        self.connection.close()

    def execute(self, statement: str, parameters: tuple[Any, ...] = ()) -> psycopg.Cursor[Any]:
        self.asked.append(statement)
        cursor = self.connection.execute(statement, parameters)
        if self.after_read is not None:
            hook, self.after_read = self.after_read, None
            hook()
        return cursor


@pytest.fixture
def line(app: Any, instance: Settings) -> Line:
    return Line(instance)


@pytest.fixture
def poller(app: Any, instance: Settings) -> Iterator[psycopg.Connection[Any]]:
    """The connection that a process's poller would have."""
    with connect(instance, Login.PLATFORM, autocommit=True) as connection:
        yield connection


@pytest.fixture
def watched(line: Line) -> Iterator[Registry]:
    """A registry whose poller the test plays."""
    made = Registry(connect=line.connect, wrapping_key=running_registry().wrapping_key)
    yield made
    made.close()


@pytest.fixture
def registered(app: Any) -> TenantRoute:
    return make_tenant_rows("acme")
