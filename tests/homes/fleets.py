"""Fleets of the tests' own: homes of the version before, and runs that bring them to the newest."""

from __future__ import annotations

from uuid import UUID

import psycopg
from psycopg import sql

from app.core.database.owner import owner_connection
from app.core.tenancy.scopes import TenantRoute, Tier, platform_scope
from app.homes import queries, services
from app.homes.models import FleetRun, FleetRunHome
from tests.factories import rows_of
from tests.homes.placing import make_home
from tests.operations.toys import ADA
from tests.work import run_jobs

HAS_NOTE = """
select exists (select from pg_attribute where attrelid = to_regclass(%s) and attname = 'note' and not attisdropped)
"""
TABLES = "select count(*) from pg_class where relnamespace = to_regnamespace(%s) and relkind = 'r'"


def make_homes(count: int, tier: Tier = Tier.SCHEMA, server: str = "main") -> list[TenantRoute]:
    """Make tenants with homes of the product's version."""
    return [make_home(f"tenant-{number}", tier, server) for number in range(count)]


def start(max_failure_ratio: float = 0.05) -> UUID:
    """Start a run, as the board does."""
    with platform_scope("test"):
        return services.start_run(max_failure_ratio=max_failure_ratio, actor=ADA)


def migrate(max_failure_ratio: float = 0.05) -> FleetRun:
    """Start a run and let the worker bring it to its end."""
    run_id = start(max_failure_ratio)
    run_jobs()
    return get_run(run_id)


def get_run(run_id: UUID) -> FleetRun:
    """Return a run as it is."""
    with platform_scope("test"):
        return queries.get_run(run_id)


def outcomes(run_id: UUID) -> dict[str, str]:
    """Return the state of each home of a run, by schema or database; pools under their server's name."""
    rows = [row for row in rows_of(FleetRunHome) if row.run_id == run_id]
    return {name_of(row): row.state for row in rows}


def errors(run_id: UUID) -> dict[str, str]:
    """Return why homes of a run have failed."""
    return {name_of(row): row.error for row in rows_of(FleetRunHome) if row.run_id == run_id and row.error}


def name_of(row: FleetRunHome) -> str:
    return row.server if row.schema_name == "pool" else row.database_name or row.schema_name


def home_name(route: TenantRoute) -> str:
    """Return what a tenant's home is called on its server."""
    return route.placement.database or route.placement.schema


def state_of(route: TenantRoute) -> tuple[bool, str, str]:
    """Return whether the release's column is in a home, and the two versions that the home tells of itself."""
    schema = route.placement.schema
    with owner_connection(route.placement.address) as connection:
        return read_state(connection, schema)


def read_state(connection: psycopg.Connection, schema: str) -> tuple[bool, str, str]:
    """Return the same over a connection that is open."""
    has_note = connection.execute(HAS_NOTE, (f"{schema}.settings",)).fetchone()[0]
    statement = sql.SQL("select version_num from {}").format(sql.Identifier(schema, "alembic_version"))
    told = connection.execute(statement).fetchone()[0]
    recorded = connection.execute("select version from tenancy.home_versions where schema_name = %s", (schema,))
    return has_note, told, recorded.fetchone()[0]
