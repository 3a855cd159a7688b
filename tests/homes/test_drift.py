"""Drift: what somebody changed by hand in one home is reported with what mends it, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

from app.core.database.owner import owner_connection
from app.core.tenancy.scopes import TenantRoute, Tier, platform_scope
from app.homes import services
from app.homes.jobs import check
from app.homes.models import HomeCheck
from app.web.hosts import Portal
from tests.factories import rows_of
from tests.homes.fleets import make_homes, migrate
from tests.homes.placing import PLACES, make_home
from tests.homes.releases import Release
from tests.operations.toys import ADA
from tests.work import run_jobs

CHANGES = {
    "alter table settings add column colour text": "alter table settings drop column colour",
    "create index ix_by_hand on settings (tenant_id, value)": "drop index ix_by_hand",
    "alter table members alter name drop not null, alter name set default 'x'":
        "alter table members alter column name type text, alter column name drop default, "
        "alter column name set not null",
    "alter table members alter link_serial drop default":
        "alter table members alter column link_serial type bigint, alter column link_serial set default 0, "
        "alter column link_serial set not null",
    "alter table settings no force row level security":
        "alter table settings enable row level security, force row level security",
    "grant select on settings to tenantry_platform": "revoke all on settings from tenantry_platform",
}  # fmt: skip


def change(route: TenantRoute, statement: str) -> None:
    """Do something to a home by hand."""
    with owner_connection(route.placement.address) as connection, connection.transaction():
        connection.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(route.placement.schema)))
        connection.execute(statement)


def compare() -> dict[str, list[str]]:
    """Have every home compared; return the statements that mend those that differ."""
    with platform_scope("test"):
        services.start_check(actor=ADA)
    run_jobs()
    checks = rows_of(HomeCheck)
    assert [row.error for row in checks if row.error] == []
    return {str(row.key): [each["fix"] for each in row.differences] for row in checks if row.differences}


@pytest.mark.parametrize(("statement", "fix"), CHANGES.items())
def test_a_change_by_hand_is_reported_with_what_mends_it(app: Portal, statement: str, fix: str) -> None:
    acme, _globex = make_homes(2)
    assert compare() == {}
    change(acme, statement)
    assert compare() == {f"main/{acme.placement.schema}": [fix]}
    change(acme, fix)
    assert compare() == {}


@pytest.mark.parametrize(("tier", "server"), PLACES)
def test_it_is_found_wherever_the_home_lies(app: Portal, annex: str, tier: Tier, server: str) -> None:
    acme = make_home("acme", tier, server)
    change(acme, "create index ix_by_hand on settings (tenant_id, value)")
    found = compare()
    change(acme, "drop index ix_by_hand")
    assert found == {f"{acme.placement.address}/{acme.placement.schema}": ["drop index ix_by_hand"]}
    assert compare() == {}


def test_a_home_of_the_version_before_is_compared_with_that_version(release: Release) -> None:
    acme, globex = make_homes(2)
    compare()
    release.add()
    migrate()
    with owner_connection() as control:  # As if no run had come to Acme.
        for table in ("tenancy.home_versions", "control.home_versions"):
            control.execute(f"update {table} set version = '0002' where schema_name = %s", (acme.placement.schema,))
    change(acme, "update alembic_version set version_num = '0002'")
    change(acme, "alter table settings drop column note")
    change(globex, "alter table settings drop column note")
    assert compare() == {f"main/{globex.placement.schema}": ["alter table settings add column note text"]}


def test_a_version_that_was_written_over_is_reported(app: Portal) -> None:
    (acme,) = make_homes(1)
    change(acme, "update alembic_version set version_num = '0001'")
    assert compare() == {f"main/{acme.placement.schema}": ["update alembic_version set version_num = '0002'"]}


def test_what_cannot_be_compared_says_why(app: Portal) -> None:
    (acme,) = make_homes(1)
    change(acme, "create view strange as select 1 as one")
    with platform_scope("test"):
        services.start_check(actor=ADA)
    run_jobs()
    (row,) = [row for row in rows_of(HomeCheck) if row.error]
    assert (row.schema_name, "strange" in row.error) == (acme.placement.schema, True)


def test_a_home_of_a_version_that_nobody_knows_cannot_be_compared(app: Portal) -> None:
    (acme,) = make_homes(1)
    change(acme, "update tenancy.home_versions set version = '9999' where schema_name = current_schema()")
    with platform_scope("test"):
        services.start_check(actor=ADA)
    run_jobs()
    (row,) = [row for row in rows_of(HomeCheck) if row.error]
    said = "Nobody has kept what a home of version 9999 consists of."
    assert (row.schema_name, row.error, row.differences) == (acme.placement.schema, said, [])


def test_a_table_that_was_given_to_somebody_else_is_reported(
    app: Portal, superuser_of: Callable[[TenantRoute], psycopg.Connection]
) -> None:
    (acme,) = make_homes(1)
    with superuser_of(acme) as superuser:
        superuser.execute("alter table settings owner to postgres")
        ((place, (fix,)),) = compare().items()
        assert (place, fix) == (f"main/{acme.placement.schema}", "alter table settings owner to tenantry_owner")
        superuser.execute(fix)
    assert compare() == {}


def test_a_home_that_lost_its_version_cannot_be_compared_and_others_are(app: Portal) -> None:
    first, second = make_homes(2)
    change(first, "drop table alembic_version")
    change(second, "drop policy tenant on settings")
    with platform_scope("test"):
        services.start_check(actor=ADA)
    run_jobs()
    found = {row.schema_name: (row.error or "", len(row.differences)) for row in rows_of(HomeCheck)}
    assert "alembic_version" in found[first.placement.schema][0]
    assert found[second.placement.schema] == ("", 1)


def test_the_schedule_starts_the_comparison(app: Portal) -> None:
    (acme,) = make_homes(1)
    with platform_scope("test"):
        check({})
    run_jobs()
    assert acme.placement.schema in {row.schema_name for row in rows_of(HomeCheck)}
