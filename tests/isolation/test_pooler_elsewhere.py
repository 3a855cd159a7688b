"""PgBouncer before a second server: its pool, its schemas and its databases, each behind one connection."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, text

from app import create_app
from app.core.config import Settings
from app.core.database.server_urls import ServerUrls
from app.core.database.session import db, engines, registry
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import DatabaseAddress, Login, TenantRoute, Tier, tenant_scope
from app.settings.models import Setting
from app.web.hosts import Portal
from tests.homes.placing import make_home
from tests.isolation.grounds import context_of, home_of
from tests.isolation.pgbouncer import client, login_url, needs_pgbouncer, run_pooler
from tests.servers import ANNEX

pytestmark = needs_pgbouncer
READ = select(Setting.key, text("pg_backend_pid()"))


@pytest.fixture(scope="module")
def pooler(instance: Settings, annex: str) -> Iterator[str]:
    """The address of a pooler before the second server."""
    server, _, database = direct_url(instance).rpartition("@")[2].partition("/")
    with run_pooler(server, database) as address:
        yield address


@pytest.fixture
def portals(app: Portal, pooler: str, instance: Settings, tmp_path: Path) -> Iterator[list[Portal]]:
    """Two processes' worth of the application that reach the second server through the pooler."""
    shutil.copytree(instance.var_dir, tmp_path / "var")
    settings = instance.model_copy(update={"var_dir": tmp_path / "var"})
    database = direct_url(instance).rpartition("/")[2]
    for login in (Login.TENANT, Login.PLATFORM):
        ServerUrls(settings).write(ANNEX, login, login_url(pooler, login.value, database))
    made = [create_app(settings, polls=False) for _ in range(2)]
    yield made
    for portal in made:
        with portal.app_context():
            engines().dispose()
            registry().close()


def direct_url(instance: Settings) -> str:
    return ServerUrls(instance).get(Login.TENANT, DatabaseAddress(ANNEX))


def make_known_home(name: str, tier: Tier) -> TenantRoute:
    """Make a home on the second server whose one setting is named like its tenant."""
    route = make_home(name, tier, ANNEX)
    with tenant_scope(route, reason="stock"), transaction():
        db.session.add(Setting(key=name, value="x"))
    return route


def read(portal: Portal, route: TenantRoute) -> tuple[str, int]:
    """Return the one setting that a tenant sees, and the server process that answered."""
    with portal.app_context(), tenant_scope(route, reason="read"), transaction():
        key, backend = db.session.execute(READ).one()
        return key, backend


def test_pool_and_schemas_take_turns_on_one_backend(portals: list[Portal]) -> None:
    routes = [make_known_home(f"{name}-{tier}", tier) for tier in (Tier.POOL, Tier.SCHEMA) for name in ("a", "b")]
    seen = [read(portal, route) for _ in range(5) for portal in portals for route in routes]
    assert [key for key, _ in seen] == [route.slug for route in routes] * 10
    assert len({backend for _, backend in seen}) == 1


def test_each_database_has_a_backend_that_serves_its_tenant_alone(portals: list[Portal]) -> None:
    routes = [make_known_home(name, Tier.DATABASE) for name in ("acme", "globex")]
    seen = [read(portal, route) for _ in range(5) for portal in portals for route in routes]
    assert [key for key, _ in seen] == ["acme", "globex"] * 10
    assert len({backend for _, backend in seen}) == 2


@pytest.mark.parametrize("tier", [Tier.POOL, Tier.SCHEMA])
def test_a_context_set_for_the_session_would_be_caught_here_too(
    portals: list[Portal], pooler: str, instance: Settings, tier: Tier
) -> None:
    acme, globex = make_known_home("acme", tier), make_known_home("globex", tier)
    url = login_url(pooler, "tenant", direct_url(instance).rpartition("/")[2])
    statement = f"select key from {home_of(acme).schema}.settings"
    read(portals[0], globex)  # Its connections are there before: a new one would be refused, and that is another test.
    with client(url) as careless, client(url) as stranger:
        careless.execute("select set_config('tenantry.context', %s, false)", (context_of(acme),))
        leaked = stranger.execute(statement).fetchall()
        assert read(portals[0], globex)[0] == "globex"  # A context of one's own still wins.
        stranger.execute("reset tenantry.context")
        with pytest.raises(psycopg.Error, match="no tenant context"):
            careless.execute(statement)
    assert leaked == [("acme",)]


def test_a_context_of_the_main_database_is_forged_behind_the_pooler(
    portals: list[Portal], pooler: str, instance: Settings
) -> None:
    foreign = (context_of(make_known_home("acme", Tier.POOL), DatabaseAddress()),)
    url = login_url(pooler, "tenant", direct_url(instance).rpartition("/")[2])
    with client(url) as stranger, stranger.transaction():
        stranger.execute("select set_config('tenantry.context', %s, true)", foreign)
        with pytest.raises(psycopg.Error, match="forged"):
            stranger.execute("select key from pool.settings")
