"""PgBouncer in transaction mode: tenants take turns on one server connection and each sees its own rows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from app import create_app
from app.core.config import Settings
from app.core.database.session import db, engines, registry
from app.core.database.transactions import transaction
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.web.hosts import Portal
from tests.isolation import pgbouncer
from tests.isolation.pgbouncer import needs_pgbouncer, run_pooler
from tests.isolation.toy import Toy, make_context

READ = select(Toy.name, text("pg_backend_pid()"))

pytestmark = needs_pgbouncer


@pytest.fixture(scope="module")
def pooler(instance: Settings) -> Iterator[str]:
    """The address of a pooler before this process's database, with one server connection for each login."""
    server, _, database = address_of(instance).partition("/")
    with run_pooler(server, database) as address:
        yield address


@pytest.fixture
def portals(pooler: str, homes: Any, instance: Settings) -> Iterator[list[Portal]]:
    """Two processes' worth of the application, both behind the pooler."""
    changes = {f"database_{login}_url": url_of(pooler, login, instance) for login in ("tenant", "platform")}
    made = [create_app(instance.model_copy(update=changes), polls=False) for _ in range(2)]
    yield made
    for portal in made:
        with portal.app_context():
            engines().dispose()
            registry().close()


def read(portal: Portal, route: TenantRoute) -> tuple[str, int]:
    """Return the one toy that a tenant sees, and the server process that answered."""
    # Committed, because a rollback would take back even what was set for the session.
    with portal.app_context(), tenant_scope(route, reason="read"), transaction():
        name, backend = db.session.execute(READ).one()
        return name, backend


def test_tenants_take_turns_on_one_backend_and_see_their_own(
    portals: list[Portal], acme: TenantRoute, globex: TenantRoute
) -> None:
    turns = [(portal, route) for _ in range(10) for portal in portals for route in (acme, globex)]
    seen = [read(portal, route) for portal, route in turns]
    assert [name for name, _ in seen] == ["acme's", "globex's"] * 20
    assert len({backend for _, backend in seen}) == 1


def test_tenants_that_press_at_once_see_their_own(
    portals: list[Portal], acme: TenantRoute, globex: TenantRoute
) -> None:
    turns = [(portals[number % 2], (acme, globex)[number // 2 % 2]) for number in range(80)]
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda turn: read(*turn), turns))
    assert [name for name, _ in seen] == ["acme's", "acme's", "globex's", "globex's"] * 20
    assert len({backend for _, backend in seen}) == 1


def test_an_aborted_transaction_leaves_nothing_to_the_next(
    portals: list[Portal], acme: TenantRoute, globex: TenantRoute
) -> None:
    with pytest.raises(Exception, match="division"), portals[0].app_context(), tenant_scope(acme, reason="abort"):
        db.session.execute(text("select 1 / 0"))
    assert read(portals[1], globex)[0] == "globex's"


def test_a_client_without_a_context_finds_none_left_over(
    portals: list[Portal], pooler: str, acme: TenantRoute, instance: Settings
) -> None:
    _, backend = read(portals[0], acme)
    with client(pooler, instance) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute("select name from pool.toys")
    assert caught.value.sqlstate == "TN001"
    with client(pooler, instance) as connection:
        assert connection.execute("select pg_backend_pid()").fetchone() == (backend,)


def test_a_context_set_for_the_session_would_be_caught_here(
    portals: list[Portal], pooler: str, acme: TenantRoute, globex: TenantRoute, instance: Settings
) -> None:
    with portals[0].app_context():
        context = make_context(acme)
    read(portals[1], globex)  # Its connection is there before: a new one would be refused, and that is another test.
    with client(pooler, instance) as careless, client(pooler, instance) as stranger:
        careless.execute("select set_config('tenantry.context', %s, false)", (context,))
        leaked = stranger.execute("select name from pool.toys").fetchall()
        assert read(portals[1], globex)[0] == "globex's"  # A context of one's own still wins.
        stranger.execute("reset tenantry.context")
    assert leaked == [("acme's",)]


def test_without_a_scope_nothing_reaches_the_pooler(portals: list[Portal]) -> None:
    with portals[0].app_context(), pytest.raises(ScopeError):
        db.session.execute(READ)


def client(pooler: str, instance: Settings) -> psycopg.Connection[Any]:
    """Connect through the pooler as the tenant login, with nothing of the product around it."""
    return pgbouncer.client(url_of(pooler, "tenant", instance).get_secret_value())


def url_of(pooler: str, login: str, instance: Settings) -> SecretStr:
    """Return a login's URL through the pooler."""
    return SecretStr(pgbouncer.login_url(pooler, login, address_of(instance).partition("/")[2]))


def address_of(instance: Settings) -> str:
    """Return host, port and database of this process's PostgreSQL."""
    address: str = instance.database_tenant_url.get_secret_value().rpartition("@")[2]
    return address
