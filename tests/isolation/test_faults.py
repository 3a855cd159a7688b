"""Outages: a killed backend, a demoted primary or a server that is away is an UnavailableError, then all is well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select, text

from app.core.config import Settings
from app.core.database.engines import Engines
from app.core.database.faults import NO_ANSWER
from app.core.database.session import db, engines, registry
from app.core.errors import UnavailableError
from app.core.tenancy.scopes import Login, TenantRoute, platform_scope, tenant_scope
from app.instance.processes import wait_until
from tests.isolation.toy import Toy, as_superuser, connect

NAMES = select(Toy.name)
MY_PID = text("select pg_backend_pid()")
KILL = (
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
    "where usename = any(%s) and datname = current_database()"
)

CANCEL = (
    "select pg_cancel_backend(pid) from pg_stat_activity "
    "where usename = 'tenantry_tenant' and datname = current_database() and wait_event_type = 'Lock'"
)

Kill = Callable[[], None]


@pytest.fixture(autouse=True)
def fresh_pools(app: Any) -> Iterator[None]:
    """Begin and end without a pooled connection of another test."""
    engines().dispose()
    yield
    engines().dispose()


@pytest.fixture
def kill(instance: Settings, superuser_url: str) -> Kill:
    """End every backend of the runtime logins, as an administrator or a restart does."""

    def run() -> None:
        with as_superuser(instance, superuser_url) as connection:
            connection.execute(KILL, (["tenantry_tenant", "tenantry_platform"],))

    return run


def read_names(route: TenantRoute) -> list[str]:
    """Read a tenant's toys in a scope of its own."""
    with tenant_scope(route, reason="read"):
        return list(db.session.scalars(NAMES))


def test_backends_killed_while_idle_cost_nobody_an_error(acme: TenantRoute, kill: Kill) -> None:
    fill_the_pool(engines().for_login(Login.TENANT))
    kill()
    assert [read_names(acme) for _ in range(5)] == [["acme's"]] * 5


def test_a_backend_killed_inside_a_transaction_loses_it_and_no_more(acme: TenantRoute, kill: Kill) -> None:
    with pytest.raises(UnavailableError) as caught, tenant_scope(acme, reason="write"):  # noqa: PT012
        db.session.add(Toy(name="lost"))
        db.session.flush()
        kill()
        db.session.scalars(NAMES).all()
    assert caught.value.retry_after_seconds > 0
    assert read_names(acme) == ["acme's"]


def test_a_backend_killed_before_the_commit_is_no_success(acme: TenantRoute, kill: Kill) -> None:
    with pytest.raises(UnavailableError), tenant_scope(acme, reason="write"):  # noqa: PT012
        db.session.add(Toy(name="lost"))
        db.session.flush()
        kill()
        db.session.commit()
    assert read_names(acme) == ["acme's"]


def test_the_platforms_backends_recover_as_well(app: Any, kill: Kill) -> None:
    with platform_scope("warm up"):
        db.session.scalar(MY_PID)
    kill()
    with platform_scope("work"):
        assert db.session.scalar(MY_PID)


def test_a_backend_killed_before_its_transaction_begins_is_replaced(acme: TenantRoute, kill: Kill) -> None:
    with tenant_scope(acme, reason="read"), engines().for_login(Login.TENANT).connect() as connection:
        kill()
        with pytest.raises(UnavailableError):
            connection.execute(MY_PID)
    assert read_names(acme) == ["acme's"]


def test_a_demoted_primary_empties_the_pool(acme: TenantRoute) -> None:
    fill_the_pool(engines().for_login(Login.TENANT))
    before = {backend_of(acme) for _ in range(6)}
    with pytest.raises(UnavailableError) as caught, tenant_scope(acme, reason="write"):  # noqa: PT012
        db.session.execute(text("set transaction read only"))
        db.session.add(Toy(name="lost"))
        db.session.flush()
    assert caught.value.__cause__.sqlstate == "25006"
    assert not before & {backend_of(acme) for _ in range(6)}


@pytest.mark.parametrize("address", ["127.0.0.1:1", "host.invalid:5432"])
def test_a_server_that_is_away_is_unavailable(
    address: str, acme: TenantRoute, instance: Settings, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = SecretStr(f"postgresql://tenantry_tenant:x@{address}/tenantry?connect_timeout=1")
    away = Engines(instance.model_copy(update={"database_tenant_url": gone}), registry())
    monkeypatch.setitem(app.extensions, "tenantry_engines", away)
    with pytest.raises(UnavailableError) as caught:
        read_names(acme)
    # What pages show; the reason, with address and login, is a note for the command line and the log.
    assert str(caught.value) == NO_ANSWER
    assert "No connection to the database: " in caught.value.__notes__[0]


@pytest.mark.parametrize("statement", ["select 1 / 0", "select nothing", "select 'x'::int"])
def test_a_statement_that_is_wrong_is_no_outage(statement: str, acme: TenantRoute) -> None:
    before = backend_of(acme)
    with pytest.raises(Exception, match="psycopg") as caught, tenant_scope(acme, reason="err"):
        db.session.execute(text(statement))
    assert not isinstance(caught.value, UnavailableError)
    assert isinstance(caught.value.__cause__, psycopg.Error)
    assert backend_of(acme) == before


def test_a_begin_that_is_cancelled_leaves_the_connection_usable(
    acme: TenantRoute, app: Any, instance: Settings, superuser_url: str
) -> None:
    before = backend_of(acme)
    with connect(instance) as fence, ThreadPoolExecutor(1) as pool:
        fence.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(acme.tenant_id),))
        waiting = pool.submit(in_a_thread, app, backend_of, acme)
        with as_superuser(instance, superuser_url) as connection:
            assert wait_until(lambda: connection.execute(CANCEL).fetchone() == (True,), 10)
        with pytest.raises(UnavailableError) as caught:
            waiting.result()
    assert caught.value.__cause__.sqlstate == "57014"
    assert backend_of(acme) == before


def in_a_thread(app: Any, work: Callable[[TenantRoute], Any], route: TenantRoute) -> Any:
    """Do some work in a thread, which has no application of its own."""
    with app.app_context():
        return work(route)


def backend_of(route: TenantRoute) -> int:
    """Return the server process that works for a scope."""
    with tenant_scope(route, reason="ask"):
        return db.session.scalar(MY_PID)


def fill_the_pool(engine: Engine) -> None:
    """Leave several idle connections in the pool."""
    lines = [engine.raw_connection() for _ in range(3)]
    for line in lines:
        line.close()
