"""Wall 2 alone: plain SQL of the tenant login, with a genuine context and no ORM, sees and changes own rows only."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import select, text, update
from sqlalchemy.exc import ProgrammingError

from app.core.config import Settings
from app.core.database.session import db
from app.core.tenancy.scopes import Login, TenantRoute, tenant_scope
from tests.isolation.toy import Toy, attack, connect, read_toys

Prey = dict[str, Any]

READS = [
    "select * from pool.toys",
    "select name from pool.toys where true or tenant_id = %(globex)s",
    "select string_agg(name, ',') from pool.toys",
    "select t.name, b.label, b.tenant_id from pool.toys t, pool.toy_boxes b",
    "select t.name, u.name from pool.toys t full join pool.toys u on t.name = u.name",
    "select (select max(name) from pool.toys), (select count(*) from pool.toys)",
    "with recursive r as (select name from pool.toys union select name from pool.toys) select * from r",
    "select name from pool.toys union all select label from pool.toy_boxes",
    "select name from pool.toys for update",
    "select name from only pool.toys tablesample system (100)",
    "table pool.toys",
    "select to_jsonb(t) from pool.toys t",
    "update pool.toys set name = name returning name",
    "delete from pool.toys returning *",
    "delete from pool.toy_boxes b using pool.toys t where t.name <> '' returning t.name, b.tenant_id",
    "merge into pool.toys t using pool.toys s on t.id = s.id when matched then delete returning t.name",
    "insert into pool.toys select tenant_id, gen_random_uuid(), name from pool.toys returning name",
]
# Statement and the SQLSTATE with which it is refused: row-level security, or a foreign key inside the tenant.
WRITES = [
    ("insert into pool.toys values (%(globex)s, gen_random_uuid(), 'planted')", "42501"),
    ("insert into pool.toys select %(globex)s, gen_random_uuid(), name from pool.toys", "42501"),
    ("update pool.toys set tenant_id = %(globex)s", "42501"),
    (
        "insert into pool.toys values (%(globex)s, %(toy)s, 'planted') "
        "on conflict (tenant_id, id) do update set name = 'changed'",
        "42501",
    ),
    ("insert into pool.toys values (%(globex)s, %(toy)s, 'planted') on conflict do nothing", "42501"),
    (
        "insert into pool.toy_boxes values (%(acme)s, gen_random_uuid(), 'shelf') "
        "on conflict (tenant_id, label) do update set tenant_id = %(globex)s",
        "42501",
    ),
    ("merge into pool.toys using (values (1)) v on false when not matched then insert values (%(globex)s)", "42501"),
    ("insert into pool.toys values (%(acme)s, gen_random_uuid(), 'x', %(box)s)", "23503"),
    ("update pool.toys set box_id = %(box)s", "23503"),
    ("set local row_security = off; select * from pool.toys", "42501"),
]


@pytest.fixture
def prey(acme: TenantRoute, globex: TenantRoute) -> Prey:
    """What an attacker may know: both tenants' ids and those of globex's rows."""
    with tenant_scope(globex, reason="look up"):
        toy = db.session.scalars(select(Toy)).one()
    return {"acme": acme.tenant_id, "globex": globex.tenant_id, "toy": toy.id, "box": toy.box_id}


@pytest.mark.parametrize("statement", READS)
def test_a_statement_without_a_filter_sees_only_own_rows(
    statement: str, acme: TenantRoute, prey: Prey, instance: Settings
) -> None:
    with attack(instance, acme) as connection:
        seen = str(connection.execute(statement, prey).fetchall())
        connection.rollback()
    assert "acme's" in seen
    assert "globex's" not in seen
    assert str(prey["globex"]) not in seen


@pytest.mark.parametrize("statement", READS)
def test_without_the_wall_each_of_these_would_see_more(
    statement: str, acme: TenantRoute, prey: Prey, without_rls: None, instance: Settings
) -> None:
    with attack(instance, acme) as connection:
        seen = str(connection.execute(statement, prey).fetchall())
        connection.rollback()
    assert "globex's" in seen or str(prey["globex"]) in seen


@pytest.mark.parametrize("source", ["pool.toys", "(select * from pool.toys)"])
def test_copy_out_holds_only_own_rows(source: str, acme: TenantRoute, prey: Prey, instance: Settings) -> None:
    with attack(instance, acme) as connection, connection.cursor().copy(f"copy {source} to stdout") as copy:
        seen = b"".join(bytes(chunk) for chunk in copy).decode()
    assert "acme's" in seen
    assert "globex's" not in seen


def test_copy_in_is_refused(acme: TenantRoute, prey: Prey, instance: Settings) -> None:
    with (
        attack(instance, acme) as connection,
        pytest.raises(errors.FeatureNotSupported, match="row-level"),
        connection.cursor().copy("copy pool.toys (tenant_id, id, name) from stdin") as copy,
    ):
        copy.write_row((prey["globex"], prey["toy"], "planted"))


@pytest.mark.parametrize(("statement", "sqlstate"), WRITES)
def test_a_write_on_another_tenant_is_refused(
    statement: str, sqlstate: str, acme: TenantRoute, prey: Prey, instance: Settings
) -> None:
    with attack(instance, acme) as connection, pytest.raises(psycopg.Error) as caught:
        psycopg.ClientCursor(connection).execute(statement, prey)
    assert caught.value.sqlstate == sqlstate


@pytest.mark.parametrize("statement", ["update pool.toys set name = 'changed'", "delete from pool.toys"])
def test_a_write_without_a_filter_spares_foreign_rows(
    statement: str, acme: TenantRoute, globex: TenantRoute, instance: Settings, superuser_url: str
) -> None:
    with attack(instance, acme) as connection:
        assert connection.execute(statement).rowcount == 1
    toys = read_toys(instance, superuser_url)
    assert toys["globex's"] == globex.tenant_id
    assert "acme's" not in toys


def test_a_foreign_key_value_can_be_used_anew_and_tells_nothing(
    acme: TenantRoute, prey: Prey, instance: Settings
) -> None:
    with attack(instance, acme) as connection:
        connection.execute("insert into pool.toys values (%(acme)s, %(toy)s, 'same id')", prey)
        connection.execute("insert into pool.toy_boxes values (%(acme)s, %(box)s, 'same id')", prey)


def test_a_cascade_does_not_reach_another_tenant(
    acme: TenantRoute, globex: TenantRoute, prey: Prey, instance: Settings
) -> None:
    with attack(instance, acme) as connection:
        connection.execute("insert into pool.toy_boxes values (%(acme)s, %(box)s, 'bait')", prey)
        connection.execute("delete from pool.toy_boxes where label = 'bait'")
    with attack(instance, globex) as connection:
        assert connection.execute("select box_id from pool.toys").fetchone() == (prey["box"],)


@pytest.mark.parametrize("options", ["with (security_invoker = true)", ""])
def test_a_view_shows_only_own_rows(options: str, acme: TenantRoute, prey: Prey, instance: Settings) -> None:
    with connect(instance) as connection:
        connection.execute(f"create view pool.toy_view {options} as select * from pool.toys")
        connection.execute("grant select on pool.toy_view to tenantry_tenant")
    try:
        with attack(instance, acme) as connection:
            assert connection.execute("select name from pool.toy_view").fetchall() == [("acme's",)]
    finally:
        with connect(instance) as connection:
            connection.execute("drop view pool.toy_view")


def test_a_condition_is_not_run_over_foreign_rows(acme: TenantRoute, prey: Prey, instance: Settings) -> None:
    with attack(instance, acme) as connection:
        condition = "1 / (case when name = 'globex''s' then 0 else 1 end) = 1"
        assert connection.execute(f"select name from pool.toys where {condition}").fetchall() == [("acme's",)]


def test_statistics_do_not_tell_of_foreign_values(acme: TenantRoute, prey: Prey, instance: Settings) -> None:
    with connect(instance) as connection:
        connection.execute("analyze pool.toys")
    with attack(instance, acme) as connection:
        assert connection.execute("select * from pg_stats where schemaname = 'pool'").fetchall() == []


def test_the_owner_is_under_the_policy_too(acme: TenantRoute, prey: Prey, instance: Settings) -> None:
    with attack(instance, acme, Login.OWNER) as connection:
        assert connection.execute("select name from pool.toys").fetchall() == [("acme's",)]
        assert connection.execute("delete from pool.toys").rowcount == 1


def test_without_a_context_there_are_no_rows_for_anybody(prey: Prey, instance: Settings) -> None:
    for login in (Login.TENANT, Login.OWNER):
        with connect(instance, login) as connection, pytest.raises(psycopg.Error, match="no tenant context"):
            connection.execute("select * from pool.toys")


@pytest.mark.parametrize(
    "statement",
    [
        text("select name from pool.toys"),
        select(Toy.__table__.c.name),
        select(Toy).from_statement(select(Toy.__table__)),
    ],
)
def test_what_wall_1_cannot_read_is_filtered_here(statement: Any, acme: TenantRoute, prey: Prey) -> None:
    with tenant_scope(acme, reason="past the ORM"):
        assert len(db.session.execute(statement).all()) == 1


def test_rows_are_not_given_away_past_the_orm(acme: TenantRoute, prey: Prey) -> None:
    with tenant_scope(acme, reason="give"), pytest.raises(ProgrammingError, match="row-level security"):
        db.session.execute(update(Toy).values(tenant_id=prey["globex"]))
