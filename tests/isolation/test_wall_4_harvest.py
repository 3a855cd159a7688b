"""Wall 4: while Globex works, Acme finds no context of Globex's to replay: not in views, errors or logs."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.core.config import Settings
from app.core.database.session import db
from app.core.tenancy.errors import HomeUnavailableError
from app.core.tenancy.scopes import Login, TenantRoute, tenant_scope
from tests.isolation.toy import Toy, attack, connect, make_context, set_home

# The end of every context; nothing else in these places looks like it.
MAC = re.compile(r"[0-9a-f]{64}")
SECRET = "of-" + "globex"  # Never as one word in a source line, which a traceback quotes.
VIEWS = [
    "select query from pg_stat_activity",
    "select * from pg_stat_activity",
    "select * from pg_prepared_statements",
    "select * from pg_cursors",
    "select setting, reset_val from pg_settings",
    "select * from pg_locks",
    "select * from pg_db_role_setting",
    "select * from pg_stat_get_activity(null)",
    "select current_setting('tenantry.context', true)",
]


@contextmanager
def globex_works(globex: TenantRoute) -> Iterator[None]:
    """Keep a transaction of Globex open, its context shown, its first statement just run."""
    with tenant_scope(globex, reason="work"):
        db.session.connection()
        yield


@pytest.mark.parametrize("view", VIEWS)
def test_acme_finds_no_context_in(view: str, acme: TenantRoute, globex: TenantRoute, instance: Settings) -> None:
    with globex_works(globex), connect(instance, Login.TENANT) as connection:
        assert not MAC.search(str(connection.execute(view).fetchall()))


def test_acme_sees_that_globex_works_but_only_placeholders(
    acme: TenantRoute, globex: TenantRoute, instance: Settings
) -> None:
    with globex_works(globex), connect(instance, Login.TENANT) as connection:
        texts = str(connection.execute("select query from pg_stat_activity").fetchall())
    assert "set_config('tenantry.context', $1, true)" in texts


def test_a_context_as_literal_text_would_have_been_found(
    acme: TenantRoute, globex: TenantRoute, instance: Settings
) -> None:
    with connect(instance, Login.TENANT) as careless, connect(instance, Login.TENANT) as connection:
        careless.execute(f"set local tenantry.context = '{make_context(globex)}'")
        found = str(connection.execute("select query from pg_stat_activity").fetchall())
        stolen = re.search(rf"{globex.tenant_id}\.\d+\.\d+\.[0-9a-f]{{64}}", found)
        assert stolen
        connection.execute("select set_config('tenantry.context', %s, true)", (stolen.group(),))
        assert connection.execute("select name from pool.toys").fetchall() == [("globex's",)]


def broken_statement(route: TenantRoute, _instance: Settings) -> None:
    """Fail inside a statement."""
    with tenant_scope(route, reason="work"):
        db.session.execute(text("select 1 / 0, :name"), {"name": SECRET})


def refused_row(route: TenantRoute, _instance: Settings) -> None:
    """Fail on a constraint."""
    with tenant_scope(route, reason="work"):
        toy = db.session.scalars(select(Toy)).one()
        db.session.add_all([Toy(id=toy.id, name=SECRET)])
        db.session.expunge(toy)
        db.session.flush()


def refused_context(route: TenantRoute, instance: Settings) -> None:
    """Fail on the context itself."""
    set_home(instance, route, epoch=7)
    with tenant_scope(route, reason="work"):
        db.session.scalars(select(Toy)).all()


@pytest.mark.parametrize("failure", [broken_statement, refused_row, refused_context])
def test_no_error_text_holds_a_context_or_a_bound_value(
    failure: Any, globex: TenantRoute, instance: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises((DBAPIError, HomeUnavailableError)) as caught:
        failure(globex, instance)
    told = "".join(traceback.format_exception(caught.value)) + "".join(capfd.readouterr())
    assert not MAC.search(told)
    assert SECRET not in told


@pytest.mark.parametrize("failure", [broken_statement, refused_row, refused_context])
def test_the_servers_log_holds_no_context(
    failure: Any, globex: TenantRoute, instance: Settings, superuser_url: str
) -> None:
    with psycopg.connect(superuser_url) as connection:
        data = connection.execute("show data_directory").fetchone()[0]
    path = Path(data).with_name("postgres.log")
    begun = path.stat().st_size  # Other tests write contexts into statements on purpose.
    with pytest.raises((DBAPIError, HomeUnavailableError)):
        failure(globex, instance)
    log = path.read_bytes()[begun:].decode(errors="replace")
    assert "ERROR" in log
    assert not re.search(r"[0-9a-f-]{36}\.\d+\.\d+\.[0-9a-f]{64}", log)


def test_a_held_cursor_is_left_to_nobody_else(acme: TenantRoute, globex: TenantRoute, instance: Settings) -> None:
    with attack(instance, globex) as holder, attack(instance, acme) as connection:
        holder.execute("declare theirs cursor with hold for select * from pool.toys")
        with pytest.raises(psycopg.errors.InvalidCursorName):
            connection.execute("fetch all from theirs")
