"""The models are the migrated database's mirror, and each tree of migrations leads down to nothing and up again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, NullPool, Table, create_engine, inspect
from sqlalchemy.engine import make_url

from app.core.config import Settings
from app.core.database.migrate import migrate, tree_config
from app.core.database.models import NAMING, Record
from app.core.database.versions import TREES, schema_check
from app.core.tenancy.ddl import Roles
from tests.isolation import catalog
from tests.isolation.toy import connect
from tests.servers import environment_of, prepare_instance

SCHEMAS = {"control", "tenancy", "pool"}
# Written by migrations and definer functions, read by plain SQL.
WITHOUT_A_MODEL = {
    "control.context_keys",
    "control.registry_version",
    "tenancy.changed_keys",
    "tenancy.context_keys",
    "tenancy.home_versions",
    "tenancy.homes",
}
# The database holds these alone, for a reason; a difference that is gone must leave this list.
OF_THE_DATABASE_ALONE = {
    "remove_fk control.saved_views.fk_saved_views_staff_user_id": "staff lie on a level above tenants",
}


@pytest.fixture(scope="module")
def settings(superuser_url: str, redis_url: str, worker_id: str) -> Settings:
    """A database of this file's own, because some of its tests take everything away."""
    return prepare_instance(superuser_url, redis_url, f"models_{worker_id}")


@pytest.fixture
def owner(settings: Settings, app: Any) -> Iterator[Connection]:
    """SQLAlchemy's connection of the owner; the application has been made, so every model is loaded."""
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def models_in_place() -> MetaData:
    """Return the product's tables, the homes' in the pool."""
    placed = MetaData(naming_convention=NAMING)
    of_tests = {m.local_table for m in Record.registry.mappers if not m.class_.__module__.startswith("app.")}
    for table in Record.metadata.sorted_tables:
        if table not in of_tests:
            table.to_metadata(placed, schema=home_of(table.schema), referred_schema_fn=lambda *args: home_of(args[3]))
    return placed


def home_of(schema: str | None) -> str | None:
    """Return the schema in which a model's table really lies."""
    return "pool" if schema == "tenant" else schema


def differences(owner: Connection) -> Iterator[str]:
    """Name each difference that Alembic would write a migration for."""
    options = {"include_schemas": True, "include_name": is_ours, "compare_type": True}
    context = MigrationContext.configure(owner, opts=options)
    for found in compare_metadata(context, models_in_place()):
        for difference in found if isinstance(found, list) else [found]:
            yield describe(difference)


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    return name in SCHEMAS if kind == "schema" else name != catalog.VERSION_TABLE


def describe(difference: tuple[Any, ...]) -> str:
    """Return a difference as one line: what autogenerate would do, and to what."""
    verb, *what = difference
    if verb.endswith("_column"):
        return f"{verb} {what[0]}.{what[1]}.{what[2].name}"
    if isinstance(what[0], str):
        schema, table, column, *change = what
        return f"{verb} {schema}.{table}.{column} from {change[-2]} to {change[-1]}"
    if isinstance(what[0], Table):
        return f"{verb} {what[0].schema}.{what[0].name}"
    return f"{verb} {what[0].table.schema}.{what[0].table.name}.{what[0].name}"


def test_the_models_say_what_the_migrations_made(owner: Connection) -> None:
    found = {line for line in differences(owner) if not line.startswith("remove_table")}
    assert sorted(found - set(OF_THE_DATABASE_ALONE)) == [], "model and migration differ (seen from the model)"
    assert sorted(set(OF_THE_DATABASE_ALONE) - found) == [], "no longer a difference: take it off the list"


def test_every_table_has_its_model(owner: Connection) -> None:
    without = {line.split()[1] for line in differences(owner) if line.startswith("remove_table")}
    assert without == WITHOUT_A_MODEL


def test_primary_keys_are_the_same(owner: Connection) -> None:
    for table in models_in_place().sorted_tables:
        found = inspect(owner).get_pk_constraint(table.name, schema=table.schema)["constrained_columns"]
        assert [column.name for column in table.primary_key] == found, f"{table.schema}.{table.name}"


def test_a_model_that_differs_would_be_noticed(owner: Connection) -> None:
    owner.exec_driver_sql("alter table control.plans alter name drop not null, alter position type bigint")
    owner.exec_driver_sql("alter table control.plans drop constraint uq_plans_key, add more text")
    owner.exec_driver_sql("create index ix_plans_name on control.plans (name); create table pool.extra (id uuid)")
    found = "\n".join(line for line in differences(owner) if "plans" in line or "extra" in line)
    owner.rollback()
    for verb in ("modify_nullable", "modify_type", "add_constraint", "remove_column", "remove_index", "remove_table"):
        assert verb in found


def shape_of(settings: Settings) -> list[object]:
    """Return all that the walls rest on, to compare it with another time's."""
    with connect(settings) as connection:
        tables = [table for schema in sorted(SCHEMAS) for table in catalog.read_tables(connection, schema)]
        return [*tables, *sorted(connection.execute(catalog.FUNCTIONS).fetchall(), key=lambda row: row[1])]


def test_each_tree_goes_down_to_nothing_and_up_again(settings: Settings, owner: Connection) -> None:
    before = shape_of(settings)
    for tree, schema in reversed(TREES):
        command.downgrade(tree_config(owner, Roles("tenantry"), tree, schema), "base")
        assert inspect(owner).get_table_names(schema=schema) == [catalog.VERSION_TABLE]
        owner.rollback()
    assert shape_of(settings) == []
    migrate(settings)
    assert shape_of(settings) == before


def test_a_control_plane_that_is_a_migration_behind_is_known(settings: Settings, owner: Connection) -> None:
    assert schema_check(settings) == []
    command.downgrade(tree_config(owner, Roles("tenantry"), "control", "control"), "-1")
    assert schema_check(settings) == ["control"]
    migrate(settings)
    assert schema_check(settings) == []


def test_a_pool_is_served_one_migration_behind_and_not_two(settings: Settings, owner: Connection) -> None:
    pool = tree_config(owner, Roles("tenantry"), "tenant", "pool")
    found = []
    for _step in range(2):
        command.downgrade(pool, "-1")
        found.append(schema_check(settings))
    migrate(settings)
    assert found == [[], ["tenant"]]


def test_a_second_migrate_changes_nothing(settings: Settings) -> None:
    before, keys = shape_of(settings), context_keys(settings)
    migrate(settings)
    assert (shape_of(settings), context_keys(settings)) == (before, keys)


def test_neighbours_migrate_at_once(settings: Settings, superuser_url: str, redis_url: str, worker_id: str) -> None:
    neighbour = prepare_instance(superuser_url, redis_url, f"neighbour_{worker_id}")
    code = "from app.core.config import load_settings as s\nfrom app.core.database.migrate import migrate\n"
    code += "for _ in range(3): migrate(s())"
    command_line = [sys.executable, "-c", code]
    running = [subprocess.Popen(command_line, env=environment_of(one)) for one in (settings, neighbour)]
    assert [process.wait() for process in running] == [0, 0]


def context_keys(settings: Settings) -> list[tuple[Any, ...]]:
    """Return the context keys that the database verifies with."""
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        return connection.execute("select version, inner_block from tenancy.context_keys").fetchall()
