"""Every table that may hold a tenant's rows, every attack, every tier, as the real logins: nothing is reached."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from app.core.tenancy.scopes import Login, Tier
from tests.isolation import raids
from tests.isolation.battery import ATTACKS, SWEEPS, Prey, ask, plain
from tests.isolation.grounds import (
    Ground,
    connect_to,
    context_of,
    every_tier,
    ground,
    grounds,
    home_of,
    tables_at,
)

__all__ = ["ground", "grounds"]


def tables_of_globex(ground: Ground) -> set[str]:
    """Return the tables whose rows Globex sees."""
    place = home_of(ground.globex)
    with ground.enter(place, ground.globex) as connection:
        # Of a table with a column that no tenant may read, the others are read all the same.
        tables = tables_at(connection, place.schema)
        return {table for table in tables if ask(connection, f"select 1 from {table}").rows}


@every_tier
def test_there_is_something_to_steal(ground: Ground) -> None:
    place = home_of(ground.globex)
    with connect_to(ground.settings, Login.OWNER, place.address) as owner:
        tables = set(tables_at(owner, place.schema))
    assert tables_of_globex(ground) == tables
    assert {f"{place.schema}.members", "tenancy.outbox", "tenancy.operation_markers"} <= tables
    if ground.tier is not Tier.DATABASE:
        assert {"control.tenants", "control.audit_events", "control.tenant_facts"} <= tables


@every_tier
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_foreign_row_answers_as_one_that_never_was(ground: Ground, attack: str) -> None:
    assert list(raids.row_faults(ground, attack)) == []


@every_tier
@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_statement_without_a_condition_reaches_own_rows_only(ground: Ground, sweep: str) -> None:
    assert list(raids.sweep_faults(ground, sweep)) == []


@every_tier
def test_copies_hold_own_rows_only_and_bring_none_in(ground: Ground) -> None:
    assert list(raids.copy_faults(ground)) == []


@every_tier
def test_a_context_of_one_database_is_forged_in_another(ground: Ground, grounds: dict[Tier, Ground]) -> None:
    assert list(raids.replay_faults(ground, grounds)) == []


@every_tier
def test_a_home_in_another_database_is_out_of_reach(ground: Ground, grounds: dict[Tier, Ground]) -> None:
    database = home_of(grounds[Tier.DATABASE].globex).address.name
    with ground.enter(home_of(ground.acme), ground.acme) as connection:
        foreign, missing = (ask(connection, f"select * from {name}.home.members") for name in (database, "t_0"))
    assert foreign.state == missing.state == "0A000"


@pytest.mark.parametrize("ground", [Tier.POOL, Tier.SCHEMA], indirect=True, ids=str)  # Apart, nothing can be written.
def test_a_cascade_stays_inside_its_tenant(ground: Ground) -> None:
    cascades = 0
    for connection, place, found in raids.visits(ground):
        if place == home_of(ground.globex):
            for child in found.values():
                for reference in child.references:
                    cascades += reference.target in found
                    with connection.transaction(force_rollback=True):
                        delete_a_double(connection, found, reference.target)
                        connection.execute(raids.SET, (context_of(ground.globex),))
                        statement = f"select count(*) from {child.table} where {child.where}"
                        assert connection.execute(statement, child.foreign).fetchone() == (1,), child.table
    assert cascades > 1


def delete_a_double(connection: psycopg.Connection[Any], found: dict[str, Prey], table: str) -> None:
    """Plant an own row under the id of Globex's, with all that it refers to, and delete it again."""
    if table in found and plant_a_double(connection, found, table):
        prey = found[table]
        double = {**prey.foreign, prey.tenant: prey.own[prey.tenant]}
        assert connection.execute(f"delete from {table} where {prey.where}", double).rowcount == 1


def plant_a_double(connection: psycopg.Connection[Any], found: dict[str, Prey], table: str) -> bool:
    """Copy a row of Globex's to Acme, id and all; tell whether the login may."""
    prey = found[table]
    for reference in prey.references:
        if reference.target in found and reference.target != table:
            plant_a_double(connection, found, reference.target)
    double = plain({**prey.foreign, prey.tenant: prey.own[prey.tenant]})
    try:
        with connection.transaction():
            connection.execute(prey.insert(double), double)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


@every_tier
@pytest.mark.parametrize(
    "verb", ["select * from {}", "insert into {} default values", "delete from {}", "copy {} to stdout"]
)
def test_the_platforms_login_reaches_no_home(ground: Ground, verb: str) -> None:
    place = home_of(ground.globex)
    with connect_to(ground.settings, Login.PLATFORM, place.address) as connection:
        with connect_to(ground.settings, Login.OWNER, place.address) as owner:
            tables = [name for name in tables_at(owner, place.schema) if not name.startswith("control.")]
        for table in tables:
            assert ask(connection, verb.format(table)).state == "42501", table


@pytest.mark.parametrize("ground", [Tier.SCHEMA], indirect=True, ids=str)
def test_an_own_row_in_anothers_schema_is_seen_by_nobody_else(ground: Ground) -> None:
    # All schemas of a database are entered by one login, so only the policy decides.
    home = home_of(ground.globex)
    table = f"{home.schema}.settings"
    with ground.enter(home, ground.acme) as connection:
        values = plain({**ground.rows[ground.globex.slug][table], "tenant_id": ground.acme.tenant_id})
        names = ", ".join(values)
        connection.execute(
            f"insert into {table} ({names}) values ({', '.join(['%s'] * len(values))})", [*values.values()]
        )
        assert ask(connection, f"table {table}").rows == 1
        connection.execute(raids.SET, (context_of(ground.globex),))
        owners = connection.execute(f"select tenant_id from {table}").fetchall()
    assert owners == [(ground.globex.tenant_id,)]
