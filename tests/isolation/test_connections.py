"""Connections: one budget over all databases, few engines, and none that has served too many schemas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from app.core.config import Settings
from app.core.database import engines as room
from app.core.database.engines import Engines
from app.core.database.owner import owner_connection
from app.core.database.server_urls import ServerUrls
from app.core.database.session import engines, registry
from app.core.errors import ConfigError, UnavailableError
from app.core.ids import new_id
from app.core.tenancy.scopes import (
    MAIN_DATABASE,
    DatabaseAddress,
    Login,
    Placement,
    TenantRoute,
    Tier,
    platform_scope,
    tenant_scope,
)

NAMES = ("one", "two", "three")


@pytest.fixture(scope="module")
def addresses(instance: Settings, superuser_url: str) -> Iterator[list[DatabaseAddress]]:
    """Three empty databases beside the main one."""
    main = instance.database_url.get_secret_value().rpartition("/")[2]
    names = [f"{main}_{name}" for name in NAMES]
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"create database {name}")
        yield [DatabaseAddress("main", name) for name in names]
        for name in names:
            connection.execute(f"drop database {name} with (force)")


@contextmanager
def engines_with(instance: Settings, **changes: Any) -> Iterator[Engines]:
    found = Engines(instance.model_copy(update=changes), registry())
    yield found
    found.dispose()


def test_a_connection_beyond_the_budget_is_refused_and_one_given_back_counts_again(
    app: object, instance: Settings, addresses: list[DatabaseAddress]
) -> None:
    with engines_with(instance, database_connections=2) as found, platform_scope("test"):
        with ExitStack() as held:
            for address in addresses[:2]:
                held.enter_context(found.for_login(Login.PLATFORM, address).connect())
            assert found.budget.open_count == 2
            with pytest.raises(UnavailableError, match="in use"):
                found.for_login(Login.PLATFORM, addresses[2]).connect()
        with found.for_login(Login.PLATFORM, addresses[2]).connect():
            assert found.budget.open_count == 1  # The idle ones elsewhere were closed for it.


def test_the_owners_own_connections_count_too(
    app: object, addresses: list[DatabaseAddress], monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = engines().budget
    engines().dispose()
    monkeypatch.setattr(budget, "limit", 2)
    with owner_connection(), owner_connection(addresses[0]):
        assert (budget.open_count, budget.has_room(1)) == (2, False)
        with pytest.raises(UnavailableError, match="in use"), owner_connection(addresses[1]):
            pass
    assert (budget.open_count, budget.has_room(2)) == (0, True)


def test_a_connection_that_failed_or_broke_does_not_count(
    app: object, instance: Settings, superuser_url: str, addresses: list[DatabaseAddress]
) -> None:
    with engines_with(instance, database_connections=1) as found, platform_scope("test"):
        with pytest.raises(UnavailableError):
            found.for_login(Login.PLATFORM, DatabaseAddress("main", "nowhere")).connect()
        assert found.budget.open_count == 0
        with found.for_login(Login.PLATFORM, addresses[0]).connect() as held, psycopg.connect(superuser_url) as root:
            raw: Any = held.connection.dbapi_connection
            root.execute("select pg_terminate_backend(%s)", (raw.info.backend_pid,))
            with pytest.raises(UnavailableError):
                held.exec_driver_sql("select 1")
        with found.for_login(Login.PLATFORM, addresses[1]).connect():
            assert found.budget.open_count == 1


def test_only_the_latest_used_engines_stay(
    app: object, instance: Settings, addresses: list[DatabaseAddress], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "OTHER_DATABASES", 2)
    with engines_with(instance) as found, platform_scope("test"):
        one, two, three = addresses
        main, first, second = (found.for_login(Login.PLATFORM, at) for at in (MAIN_DATABASE, one, two))
        assert found.for_login(Login.PLATFORM, one) is first
        found.for_login(Login.PLATFORM, three)
        assert found.for_login(Login.PLATFORM, one) is first
        assert found.for_login(Login.PLATFORM, MAIN_DATABASE) is main
        assert found.for_login(Login.PLATFORM, two) is not second


def test_an_engine_in_use_is_never_dropped(
    app: object, instance: Settings, addresses: list[DatabaseAddress], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "OTHER_DATABASES", 1)
    with engines_with(instance) as found, platform_scope("test"):
        first = found.for_login(Login.PLATFORM, addresses[0])
        with first.connect():
            found.for_login(Login.PLATFORM, addresses[1])
            assert found.for_login(Login.PLATFORM, addresses[0]) is first


def test_a_connection_retires_after_many_schemas(
    app: object, instance: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SCHEMAS_PER_CONNECTION", 3)
    with engines_with(instance, database_pool_size=1) as found:
        pids = [backend_of(found, f"t_{number}") for number in (1, 1, 2, 3, 4)]
    assert len(set(pids[:4])) == 1
    assert pids[4] != pids[3]


def test_views_of_schemas_are_kept_up_to_a_number(
    app: object, instance: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "KEPT_VIEWS", 1)
    with engines_with(instance) as found, tenant_scope(route_in("t_1"), reason="test") as scope:
        first = found.for_scope(scope)
        assert found.for_scope(scope) is first
    with engines_with(instance) as found:
        for schema in ("t_1", "t_2"):
            with tenant_scope(route_in(schema), reason="test") as scope:
                view = found.for_scope(scope)
                assert view.get_execution_options()["schema_translate_map"] == {"tenant": schema}


def test_a_home_elsewhere_leaves_control_on_the_main_server(
    app: object, instance: Settings, addresses: list[DatabaseAddress]
) -> None:
    with engines_with(instance) as found:
        with tenant_scope(route_in("home", addresses[0].name), reason="test") as scope:
            assert found.for_scope(scope).url.database == addresses[0].name
            assert found.for_scope(scope, control=True).url.database == found.for_login(Login.TENANT).url.database
        with tenant_scope(route_in("pool"), reason="test") as scope:
            assert found.for_scope(scope, control=True) is found.for_scope(scope)


def test_another_servers_urls_are_private_files_and_a_change_makes_new_engines(app: object, instance: Settings) -> None:
    urls, away = ServerUrls(instance), DatabaseAddress("elsewhere", "t_1")
    with engines_with(instance) as found:
        with pytest.raises(ConfigError, match="elsewhere"):
            found.for_login(Login.TENANT, away)
        urls.write("elsewhere", Login.TENANT, "postgresql://tenant:first@127.0.0.1:1/pool")
        [path] = instance.var_dir.glob("servers/elsewhere/*")
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        first = found.for_login(Login.TENANT, away)
        assert (first.url.password, first.url.database) == ("first", "t_1")
        urls.write("elsewhere", Login.TENANT, "postgresql://tenant:second@127.0.0.1:1/pool")
        assert found.for_login(Login.TENANT, away).url.password == "second"
        urls.remove("elsewhere")
        with pytest.raises(ConfigError, match="elsewhere"):
            found.for_login(Login.TENANT, away)


def route_in(schema: str, database: str = "") -> TenantRoute:
    tier = Tier.DATABASE if database else Tier.SCHEMA
    return TenantRoute(new_id(), "t", "active", Placement("main", tier, schema, 1, database))


def backend_of(found: Engines, schema: str) -> int:
    with tenant_scope(route_in(schema), reason="test") as scope:
        raw = found.for_scope(scope).raw_connection()
        pid: int = raw.dbapi_connection.info.backend_pid
        raw.close()
    return pid
