"""The registry when its database is away, its connection is killed, or its process has forked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from app.core.config import Settings
from app.core.errors import UnavailableError
from app.core.tenancy import registry as room
from app.core.tenancy.registry import Registry
from app.core.tenancy.scopes import Login, TenantRoute
from tests.isolation.lines import Line
from tests.isolation.toy import as_superuser, connect
from tests.tenant_rows import set_tenant

KILL = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity
where usename = 'tenantry_platform' and datname = current_database()
"""


def test_a_killed_connection_is_replaced_without_a_word(
    watched: Registry, registered: TenantRoute, instance: Settings, superuser_url: str
) -> None:
    watched.resolve_host("acme")
    with as_superuser(instance, superuser_url) as connection:
        connection.execute(KILL)
    assert watched.resolve_host("acme") == registered


def test_a_database_that_is_away_is_unavailable_until_it_is_back(
    watched: Registry, line: Line, registered: TenantRoute, instance: Settings
) -> None:
    line.instance = instance.model_copy(update={"database_platform_url": SecretStr("postgresql://127.0.0.1:1")})
    with pytest.raises(UnavailableError):
        watched.resolve_host("acme")
    line.instance = instance
    assert watched.resolve_host("acme") == registered


def test_the_poller_survives_the_loss_of_its_connection_and_catches_up(
    line: Line, registered: TenantRoute, instance: Settings, superuser_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "POLL_SECONDS", 0.01)
    polling = Registry(connect=lambda: connect(instance, Login.PLATFORM, autocommit=True), wrapping_key=bytes(32))
    polling.polls = True
    assert polling.resolve_host("acme") == registered
    for status in ("suspended", "active"):
        with as_superuser(instance, superuser_url) as connection:
            connection.execute(KILL)
        set_tenant(registered.tenant_id, status=status)
        wait_until(lambda expected=status: polling.resolve_host("acme").status == expected)
    polling.close()
    assert "registry-poller" not in {thread.name for thread in threading.enumerate()}


def test_a_child_process_reads_through_and_leaves_its_parents_connection_open(
    watched: Registry, line: Line, poller: psycopg.Connection[Any], registered: TenantRoute
) -> None:
    watched.poll(poller)
    watched.resolve_host("acme")
    of_the_parent = line.connection
    watched.reset_after_fork()
    assert [watched.resolve_host("acme") for _ in range(2)] == [registered] * 2
    assert len(line.asked) == 3
    assert not of_the_parent.closed
    of_the_parent.close()


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds."""
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")
