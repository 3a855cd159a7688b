"""What the questions are asked of: servers of our own, a database for each number of tenants, web servers on them."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psycopg
from flask import Flask

from app import create_app
from app.core.config import Settings
from app.core.database.session import engines, registry
from app.core.tenancy.scopes import platform_scope
from app.instance.databases import prepare_database
from app.instance.plan import make_plan
from app.instance.processes import LOOPBACK, free_port, spawn, stop, wait_until
from app.instance.supervisor import Child
from app.plans.services import seed_catalogue
from tests.bench.figures import tell
from tests.bench.peers import APPLICATION, Peer, ensure_environment
from tests.bench.processes import backends_of, children_of
from tests.bench.schemas import put_in_schemas
from tests.bench.seeding import copy_unscoped, seed_tenants, settle
from tests.bench.visitors import Visit, cookie_of
from tests.servers import PASSWORD, Servers, environment_of, prepare_instance, start_servers

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
# Those of `make run`: tests start PostgreSQL without them.
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
PRODUCT = "wsgi:app"
UNSCOPED = "tests.bench.unscoped:create_unscoped_app()"
HELLO = "tests.bench.hello:app"
PLAIN = "tests.bench.plain:create_plain_app()"


@dataclass(frozen=True)
class Scale:
    """How much is measured: as much as the figures want, or as little as shows that everything still runs."""

    pool_tenants: tuple[int, ...] = (1, 500, 10_000)  # Ascending.
    few_tenants: int = 100
    rounds: int = 15
    requests: int = 100
    queries: int = 400
    onboarded: int = 20
    visited: int = 200
    fleet: int = 500
    big_fleet: int = 1_000
    fleet_rounds: int = 5
    peer_rounds: int = 3
    moved_mb: int = 1_000
    created: int = 15
    schemas: int = 500
    is_durable: bool = True
    web_workers: int = 2  # As many as the product's own command has.

    @property
    def most_tenants(self) -> int:
        return self.pool_tenants[-1]


TINY = Scale(
    (3,),
    few_tenants=3,
    rounds=1,
    requests=4,
    queries=8,
    onboarded=2,
    visited=2,
    fleet=2,
    big_fleet=4,
    fleet_rounds=1,
    peer_rounds=1,
    moved_mb=1,
    created=1,
    schemas=3,
    is_durable=False,
    web_workers=1,
)


@dataclass
class Pool:
    """One database with so many tenants, and the product's settings for it."""

    tenants: int
    settings: Settings
    superuser_url: str

    @cached_property
    def connection(self) -> psycopg.Connection:
        """The superuser's connection, for what only it may see."""
        return psycopg.connect(self.superuser_url, autocommit=True)

    @property
    def database(self) -> str:
        return self.superuser_url.rpartition("/")[2]

    def backends(self) -> list[int]:
        """Return PostgreSQL's processes that serve this database."""
        return backends_of(self.connection, self.database)

    def slugs(self, count: int) -> list[str]:
        """Return so many tenants' slugs, spread over all of them."""
        step = max(1, self.tenants // count)
        return [f"bench-{number:05}" for number in range(1, self.tenants + 1, step)][:count]

    def members_pages(self, app: Flask, port: int, count: int) -> list[Visit]:
        """Return the requests by which the owners of so many tenants open their members page."""
        visits = []
        for slug in self.slugs(count):
            cookie = f"tenantry_{port}={cookie_of(app, f'member01@{slug}.example')}"
            visits.append(Visit("/members", {"Host": f"{slug}.localhost:{port}", "Cookie": cookie}))
        return visits

    @contextmanager
    def app(self) -> Iterator[Flask]:
        """Run the product in this process."""
        app = create_app(self.settings, polls=False)
        with app.app_context():
            yield app
            engines().dispose()
            registry().close()


@dataclass
class Web:
    """A running web server: the product's own gunicorn, with the application that is asked for."""

    port: int
    process: subprocess.Popen[bytes]

    def workers(self) -> list[int]:
        return children_of(self.process.pid)


@dataclass
class Stage:
    """The servers, and what has been made on them so far."""

    scale: Scale
    servers: Servers = field(default_factory=start_servers)
    _pools: dict[int | str, Pool] = field(default_factory=dict)
    _peers: dict[tuple[tuple[str, str], ...], Peer] = field(default_factory=dict)
    _webs: dict[tuple[str, str], Web] = field(default_factory=dict)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        with psycopg.connect(self.servers.postgres.superuser_url, autocommit=True) as connection:
            for name in DURABLE if self.scale.is_durable else ():
                connection.execute(f"alter system set {name} = on")
            connection.execute("select pg_reload_conf()")

    def close(self) -> None:
        """Stop everything that was started here, all at once."""
        for process in self._processes:
            process.terminate()
        self._stack.close()
        for pool in self._pools.values():
            pool.connection.close()
            shutil.rmtree(pool.settings.var_dir)
        self.servers.stop()

    def pool(self, tenants: int) -> Pool:
        """Return the database with so many tenants, made at the first call."""
        if tenants not in self._pools:
            tell(f"seeding {tenants} tenants")
            self._pools[tenants] = self._make_pool(tenants, f"bench_{tenants}")
        return self._pools[tenants]

    def fleet(self, name: str) -> Pool:
        """Return a database of its own, whose homes are migrated past what this release has."""
        superuser_url = self.servers.postgres.superuser_url
        settings = prepare_instance(superuser_url, self.servers.redis.url, name)
        self._pools[name] = Pool(0, settings, superuser_url.rpartition("/")[0] + f"/tenantry_{name}")
        return self._pools[name]

    def schemas(self) -> Pool:
        """Return a database in which every tenant of a pool has a schema of its own, made at the first call."""
        tenants = self.scale.schemas
        if "schemas" not in self._pools:
            tell(f"seeding {tenants} tenants in schemas")
            pool = self._pools["schemas"] = self._make_pool(tenants, f"bench_schemas_{tenants}")
            with pool.app():
                put_in_schemas(pool.connection)
        return self._pools["schemas"]

    def peer(self, **options: str) -> Peer:
        """Return the peer over a database of its own for each way in which it is set up, made at the first call."""
        key = tuple(sorted(options.items()))
        if key not in self._peers:
            number = len(self._peers)
            given = {"name": f"peer_{number}", "prefix": "tenantry", "owner_password": PASSWORD}
            url = prepare_database(self.servers.postgres.superuser_url, **given)
            folder = self._folder / f"peer_{number}"
            folder.mkdir()
            peer = self._peers[key] = Peer(ensure_environment(), url, folder, options)
            self._stack.callback(peer.stop)
            peer.prepare()
        return self._peers[key]

    def peer_web(self, peer: Peer, **options: str) -> Web:
        """Start the product's gunicorn command in the peer's environment, with the peer's application."""
        port = free_port()
        child = self._web_child({"PORT": str(port)}, "")
        given = child.environment | peer.environment() | options
        return self._serve(port, [str(peer.python), *child.command[1:-1], APPLICATION], given)

    def web(self, pool: Pool, application: str = PRODUCT) -> Web:
        """Start gunicorn as `make run` does, but for the application, and wait until it answers; once for each."""
        key = (pool.database, application)
        if key not in self._webs:
            self._webs[key] = self._start_web(pool, application)
        return self._webs[key]

    def _start_web(self, pool: Pool, application: str) -> Web:
        port = free_port()
        owner_url = _owner_url(pool.settings)
        child = self._web_child(self._environment(pool, port), owner_url)
        given = {**child.environment, **({"DATABASE_URL": owner_url} if application == UNSCOPED else {})}
        return self._serve(port, [*child.command[:-1], application], given)

    def _web_child(self, environment: dict[str, str], owner_url: str) -> Child:
        (child,) = [child for child in make_plan(environment, owner_url=owner_url).children if child.name == "web"]
        assert child.command[-1] == PRODUCT
        return child

    def _serve(self, port: int, command: list[str], environment: dict[str, str]) -> Web:
        command[command.index("--workers") + 1] = str(self.scale.web_workers)
        web = Web(port, self._spawn(f"web-{port}", command, environment))
        assert wait_until(lambda: _answers(port), START_SECONDS), f"{command[-1]} did not start; see {self._folder}"
        return web

    def start_workers(self, pool: Pool) -> None:
        """Start everything that `make run` starts beside the web server."""
        environment = self._environment(pool, free_port())
        for child in make_plan(environment, owner_url=_owner_url(pool.settings)).children:
            if child.name != "web":
                self._spawn(child.name, list(child.command), dict(child.environment))

    def _make_pool(self, tenants: int, name: str) -> Pool:
        superuser_url = self.servers.postgres.superuser_url
        settings = prepare_instance(superuser_url, self.servers.redis.url, name)
        pool = Pool(tenants, settings, superuser_url.rpartition("/")[0] + f"/tenantry_{name}")
        with pool.app(), platform_scope("bench"):
            seed_catalogue()
        with psycopg.connect(pool.superuser_url) as connection:
            seed_tenants(connection, tenants)
            copy_unscoped(connection, f"{settings.role_prefix}_owner")
            settle(connection)
        return pool

    @property
    def _folder(self) -> Path:
        return self.servers.folder

    def _environment(self, pool: Pool, port: int) -> dict[str, str]:
        known = environment_of(pool.settings)
        del known["DATABASE_URL"]
        # The log is kept at its usual level, because writing it is a part of every request.
        return known | {"PORT": str(port), "BASE_DOMAIN": f"localhost:{port}", "LOG_LEVEL": "INFO"}

    def _spawn(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("wb") as log:
            pid_file = self._folder / f"{name}.pid"
            process = spawn(command, pid_file=pid_file, environment=environment, output=log, folder=ROOT)
        self._processes.append(process)
        self._stack.callback(stop, process, signals=[(signal.SIGTERM, 10)])
        return process


def _owner_url(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url.get_secret_value()


def _answers(port: int) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True
