"""Servers, the application and the cast, for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import settings as hypothesis

from app import create_app
from app.core.config import Settings
from app.core.database.server_urls import ServerUrls
from app.core.database.session import engines, registry
from app.core.encryption.keys import key_source
from app.core.redis import get_redis
from app.core.tenancy.scopes import DatabaseAddress, Login, TenantRoute, Tier, find_scope
from app.web.hosts import Portal
from app.web.rate_limits import limiter
from tests.factories import (
    make_bob,
    make_staff_user,
    make_tenant,
    sign_in,
    sign_in_as_ada,
    sign_in_as_bob,
    use_cheap_passwords,
)
from tests.homes.releases import use_release
from tests.page import PageClient
from tests.servers import ANNEX, prepare_annex, prepare_instance, start_servers
from tests.servers.emptying import close_connections, empty_database
from tests.tenant_rows import put_tenants_in

# How long one example takes says nothing on a machine that runs other tests beside it.
hypothesis.register_profile("tenantry", deadline=None)
hypothesis.load_profile("tenantry")

LONG = (
    "test_killed_move.py",
    "test_killed_clone.py",
    "test_killed_operation.py",
    "test_every_page.py",
    "test_bench_runs.py",
    "test_run.py",
)
SERVERS = {Tier.POOL: "main", Tier.SCHEMA: "main", Tier.DATABASE: ANNEX}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the pictures of the README be made anew: `pytest tests/browser --pictures docs/images`."""
    parser.addoption("--pictures", default=None, help="the folder into which the README's pictures are written")
    parser.addoption("--homes-behind", action="store_true", help="let homes be of the version before this release's")
    parser.addoption("--tenants-in", default=Tier.POOL, choices=[*Tier], help="the tier that tests' tenants lie in")
    parser.addoption("--many-homes", default=40, type=int, help="how many schemas the test of many homes makes")
    parser.addoption("--stress-rounds", default=1000, type=int, help="how many requests the stress test makes")


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once, in the process that steers; xdist's workers are told where they are."""
    tier = Tier(config.option.tenants_in)
    put_tenants_in(tier, SERVERS[tier])
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    config.tenantry_servers = start_servers()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files whose tests are long: begun last, one of them would keep a single process waiting."""
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_configure_node(node: pytest.Item) -> None:
    """Tell an xdist worker where the servers are."""
    servers = node.config.tenantry_servers
    node.workerinput["superuser_url"] = servers.postgres.superuser_url
    node.workerinput["other_superuser_url"] = servers.other_postgres.superuser_url
    node.workerinput["redis_url"] = servers.redis.url


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close and stop what this process has opened and started."""
    close_connections()
    servers = getattr(config, "tenantry_servers", None)
    if servers is not None:
        servers.stop()


@pytest.fixture(scope="session")
def superuser_url(request: pytest.FixtureRequest) -> str:
    """The cluster's superuser: for cleaning between tests, never for the product."""
    given = getattr(request.config, "workerinput", None)
    return given["superuser_url"] if given else request.config.tenantry_servers.postgres.superuser_url


@pytest.fixture(scope="session")
def other_superuser_url(request: pytest.FixtureRequest) -> str:
    """The superuser of the second cluster."""
    given = getattr(request.config, "workerinput", None)
    if given:
        return given["other_superuser_url"]
    return request.config.tenantry_servers.other_postgres.superuser_url


@pytest.fixture
def superuser_of(
    superuser_url: str, other_superuser_url: str, worker_id: str
) -> Callable[[TenantRoute], psycopg.Connection]:
    """Connects the superuser to the database in which a tenant's home lies, its schema on the path."""

    def connect(route: TenantRoute) -> psycopg.Connection:
        assert route.placement is not None
        place = route.placement
        name = place.database or f"{'annex' if place.server == ANNEX else 'tenantry'}_{worker_id}"
        server = (other_superuser_url if place.server == ANNEX else superuser_url).rpartition("/")[0]
        return psycopg.connect(f"{server}/{name}", autocommit=True, options=f"-c search_path={place.schema}")

    return connect


@pytest.fixture(scope="session")
def annex(instance: Settings, other_superuser_url: str, worker_id: str) -> str:
    """The name of a second database server that holds homes."""
    prepare_annex(instance, other_superuser_url, worker_id)
    return ANNEX


@pytest.fixture
def annex_urls(annex: str, instance: Settings) -> Iterator[dict[Login, str]]:
    """The second server's URLs, which are put back at the end."""
    urls = ServerUrls(instance)
    known = {login: urls.get(login, DatabaseAddress(ANNEX)) for login in Login}
    yield known
    urls.replace(ANNEX, known)


@pytest.fixture
def annex_away(annex_urls: dict[Login, str], instance: Settings) -> Callable[[], None]:
    """Put the second server at an address where nobody answers."""
    nowhere = {login: f"{url.rpartition(':')[0]}:1/annex" for login, url in annex_urls.items()}
    return lambda: ServerUrls(instance).replace(ANNEX, nowhere)


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    given = getattr(request.config, "workerinput", None)
    return given["redis_url"] if given else request.config.tenantry_servers.redis.url


@pytest.fixture(scope="session")
def instance(
    superuser_url: str, redis_url: str, worker_id: str, request: pytest.FixtureRequest, tmp_path_factory: Any
) -> Iterator[Settings]:
    """This process's database, migrated as `make run` migrates it, and its settings."""
    settings = prepare_instance(superuser_url, redis_url, worker_id)
    if not request.config.option.homes_behind:
        yield settings
        return
    with use_release(tmp_path_factory.mktemp("release") / "migrations") as release:
        release.add()
        yield settings


@pytest.fixture(scope="session")
def _session_app(instance: Settings, request: pytest.FixtureRequest) -> Iterator[Portal]:
    if request.config.option.tenants_in == Tier.DATABASE:
        request.getfixturevalue("annex")
    app = create_app(instance, polls=False)
    app.extensions["rates_of_test"] = {name: getattr(limiter, name) for name in ("_storage", "_limiter")}
    yield app
    with app.app_context():
        engines().dispose()
        registry().close()


@pytest.fixture
def app(_session_app: Portal, superuser_url: str, other_superuser_url: str, worker_id: str) -> Iterator[Portal]:
    """The application over an empty database and an empty Redis."""
    empty_database(superuser_url, other_superuser_url, worker_id)
    # A process has one limiter, and it counts where the application that was made last counts.
    vars(limiter).update(_session_app.extensions["rates_of_test"], _storage_dead=False)
    with _session_app.app_context():
        get_redis().flushdb()
        key_source().forget()  # The keys that it knows went with the rows.
        yield _session_app
        assert find_scope() is None, "the test left a scope open"


@pytest.fixture
def ada(app: Portal, monkeypatch: pytest.MonkeyPatch) -> PageClient:
    """Ada's browser: a platform admin, signed in."""
    use_cheap_passwords(monkeypatch)
    make_staff_user()
    return sign_in_as_ada(app)


@pytest.fixture
def bobs_acme(app: Portal, monkeypatch: pytest.MonkeyPatch) -> TenantRoute:
    """Acme, whose owner Bob can sign in."""
    use_cheap_passwords(monkeypatch)
    acme = make_tenant("acme")
    make_bob(acme)
    return acme


@pytest.fixture
def bob(app: Portal, bobs_acme: TenantRoute) -> PageClient:
    """Bob's browser: the owner of Acme, signed in."""
    return sign_in_as_bob(app, bobs_acme)


@pytest.fixture
def sam(app: Portal, monkeypatch: pytest.MonkeyPatch) -> PageClient:
    """Sam's browser: support, signed in; may look and not touch."""
    use_cheap_passwords(monkeypatch)
    make_staff_user("sam@platform.example", role="support", name="Sam Vimes")
    return sign_in(app, "admin.localhost", "sam@platform.example")
