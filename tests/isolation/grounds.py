"""Where attacks take place: two tenants in each tier, with a row in every table that a tenant may reach."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from app.core.config import Settings
from app.core.context_token import sign_context
from app.core.database.owner import owner_connection, owner_in_home
from app.core.database.server_urls import ServerUrls
from app.core.database.session import engines, registry
from app.core.tenancy.context import BEGIN_IN_TENANT
from app.core.tenancy.scopes import DatabaseAddress, Login, TenantRoute, Tier
from app.web.hosts import Portal
from tests.homes.placing import make_home
from tests.isolation.planting import Planter, Row
from tests.servers import ANNEX
from tests.servers.emptying import empty_database

SERVERS = {Tier.POOL: "main", Tier.SCHEMA: "main", Tier.DATABASE: ANNEX}
HOME_TABLES = """
select schemaname || '.' || tablename from pg_tables where schemaname = %s and tablename <> 'alembic_version' order by 1
"""
# What lies beside homes and shows a tenant its own rows: the rows of a policy that reads the context.
SHARED_TABLES = """
select schemaname || '.' || tablename from pg_policies where schemaname in ('control', 'tenancy')
    and 'tenantry_tenant' = any(roles) and qual like '%current_tenant%' order by 1
"""


@dataclass(frozen=True)
class Place:
    """A database and the schema of a home in it."""

    address: DatabaseAddress
    schema: str


@dataclass(frozen=True)
class Ground:
    """Two tenants of one tier; Acme attacks, and each has planted rows."""

    settings: Settings
    tier: Tier
    acme: TenantRoute
    globex: TenantRoute
    rows: dict[str, dict[str, Row]]

    @property
    def places(self) -> list[Place]:
        """Return where Acme goes: to Globex's home, and where that is another one, to its own."""
        return list(dict.fromkeys(home_of(route) for route in (self.globex, self.acme)))

    def row(self, route: TenantRoute, place: Place, table: str) -> Row:
        """Return what a tenant has planted in a table, wherever its own home lies."""
        rows = self.rows[route.slug]
        schema, _, name = table.partition(".")
        return rows[f"{home_of(route).schema}.{name}" if schema == place.schema else table]

    @contextmanager
    def enter(self, place: Place, route: TenantRoute) -> Iterator[psycopg.Connection[Any]]:
        """Open a transaction of the tenant login at a place, under a tenant's genuine context; it is rolled back."""
        with connect_to(self.settings, Login.TENANT, place.address) as connection:
            connection.execute(BEGIN_IN_TENANT, (context_of(route), str(route.tenant_id)))
            yield connection
            connection.rollback()


def home_of(route: TenantRoute) -> Place:
    assert route.placement is not None
    return Place(route.placement.address, route.placement.schema)


def context_of(route: TenantRoute, address: DatabaseAddress | None = None, *, age: int = 0) -> str:
    """Sign a context for the database of the tenant's home, or for another one, as the application would."""
    assert route.placement is not None
    key = registry().context_key(route.placement.address if address is None else address)
    return sign_context(key, route.tenant_id, route.placement.epoch, int(time.time()) + 295 - age)


def connect_to(settings: Settings, login: Login, address: DatabaseAddress) -> psycopg.Connection[Any]:
    """Connect to any database with a login of the product, past everything that the product puts around it."""
    return psycopg.connect(ServerUrls(settings).get(login, address), prepare_threshold=None)


def tables_at(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """Return every table that a tenant's rows may lie in: its home's, and what is shared beside it."""
    home = connection.execute(HOME_TABLES, (schema,)).fetchall()
    return [name for (name,) in [*home, *connection.execute(SHARED_TABLES).fetchall()]]


def plant_everywhere(route: TenantRoute) -> dict[str, Row]:
    """Plant a row of a tenant in each table of its home's database that could hold one."""
    assert route.placement is not None
    with (
        owner_connection(route.placement.address) as connection,
        owner_in_home(connection, route.tenant_id, route.placement),
    ):
        planter = Planter(connection, route.tenant_id)
        return {table: planter.row(table) for table in tables_at(connection, route.placement.schema)}


def make_ground(settings: Settings, tier: Tier) -> Ground:
    """Build the homes of both tenants and plant their rows."""
    acme, globex = (make_home(f"{name}-{tier}", tier, SERVERS[tier]) for name in ("acme", "globex"))
    return Ground(settings, tier, acme, globex, {route.slug: plant_everywhere(route) for route in (acme, globex)})


@pytest.fixture(scope="module")
def grounds(
    _session_app: Portal, instance: Settings, annex: str, superuser_url: str, other_superuser_url: str, worker_id: str
) -> Iterator[dict[Tier, Ground]]:
    """All three tiers, built once for a file whose attacks leave nothing behind."""
    empty_database(superuser_url, other_superuser_url, worker_id)
    with _session_app.app_context():
        yield {tier: make_ground(instance, tier) for tier in Tier}
        engines().dispose()
    empty_database(superuser_url, other_superuser_url, worker_id)


@pytest.fixture
def ground(grounds: dict[Tier, Ground], request: pytest.FixtureRequest) -> Ground:
    """The tier that a test is about."""
    return grounds[request.param]


every_tier = pytest.mark.parametrize("ground", list(Tier), indirect=True, ids=str)
