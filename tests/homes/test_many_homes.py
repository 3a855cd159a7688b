"""Hundreds of schemas under PostgreSQL's own limits; `pytest tests/homes/test_many_homes.py --many-homes 1000`."""

from __future__ import annotations

import pytest

from app.core.database.owner import owner_connection
from app.core.ids import new_id
from app.core.tenancy.scopes import Tier, platform_scope
from app.homes import services
from app.homes.building import build_home, drop_home, place_home
from app.homes.models import HomeCheck, RunState
from tests.factories import rows_of
from tests.homes.fleets import migrate, outcomes, read_state
from tests.homes.releases import Release
from tests.operations.toys import ADA
from tests.work import run_jobs

LIMIT = "select setting::int from pg_settings where name = 'max_locks_per_transaction'"


def test_many_homes_are_built_migrated_compared_and_dropped(release: Release, request: pytest.FixtureRequest) -> None:
    ids = [new_id() for _home in range(request.config.getoption("many_homes"))]
    homes = {tenant_id: place_home(tenant_id, Tier.SCHEMA, "main") for tenant_id in ids}
    with owner_connection() as connection:
        assert connection.execute(LIMIT).fetchone() == (64,)
    for tenant_id, home in homes.items():
        build_home(tenant_id, home)
    newest = release.add()
    run = migrate()
    assert (run.state, set(outcomes(run.id).values())) == (RunState.DONE, {"done"})
    with owner_connection() as connection:
        assert {read_state(connection, home.schema) for home in homes.values()} == {(True, newest, newest)}
    with platform_scope("test"):
        services.start_check(actor=ADA)
    run_jobs()
    checks = [row for row in rows_of(HomeCheck) if row.schema_name != "pool"]
    assert (len(checks), [row for row in checks if row.error or row.differences]) == (len(homes), [])
    for tenant_id, home in homes.items():  # One at a time: the next test's clearing away is one transaction.
        drop_home(tenant_id, home)
