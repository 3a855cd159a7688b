"""Hundreds of schemas under PostgreSQL's own limits: no transaction touches more than one home."""

from __future__ import annotations

from app.core.database.home_versions import HomeKey, HomeVersion, copy_version
from app.core.database.owner import owner_connection
from app.core.database.versions import newest_version
from app.core.ids import new_id
from app.core.tenancy.scopes import Tier
from app.homes import building, making
from app.homes.models import RunState
from tests.homes.fleets import migrate, outcomes, read_state
from tests.homes.releases import Release

COUNT = 200  # The benchmark has a thousand.
LIMIT = "select setting::int from pg_settings where name = 'max_locks_per_transaction'"


def test_hundreds_of_homes_are_migrated_in_one_run(release: Release) -> None:
    schemas = [f"t_{new_id().hex}" for _home in range(COUNT)]
    template, version = building.read_template(), HomeVersion(newest_version("tenant"), newest_version("tenancy"))
    with owner_connection() as connection:
        assert connection.execute(LIMIT).fetchone() == (64,)
        for schema in schemas:
            with connection.transaction():
                making.make_schema(connection, schema, template)
                making.open_schema(connection, schema)
            copy_version(connection, HomeKey("main", "", schema), Tier.SCHEMA, version)
    newest = release.add()
    run = migrate()
    assert (run.state, set(outcomes(run.id).values())) == (RunState.DONE, {"done"})
    with owner_connection() as connection:
        assert {read_state(connection, schema) for schema in schemas} == {(True, newest, newest)}
        for schema in schemas:  # One at a time: the next test's clearing away is one transaction.
            connection.execute(f"drop schema {schema} cascade")
