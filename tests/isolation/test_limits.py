"""Limits of time: what one session holds or burns makes others wait for seconds, and never hangs them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import text

from app.core.config import Settings
from app.core.database.engines import Engines
from app.core.database.faults import BUSY
from app.core.database.migrate import LIMITS, migrate
from app.core.database.session import db, registry
from app.core.errors import UnavailableError
from app.core.tenancy.scopes import Login, TenantRoute, tenant_scope
from tests.factories import make_bob, make_tenant, sign_in_as_bob
from tests.isolation.toy import connect

LOCK = "select pg_advisory_lock(hashtextextended(%s, 0))"
DEFAULTS = "select current_setting('{}')"


@pytest.fixture
def impatient(app: Any, instance: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Engines whose sessions wait for a lock or a statement for a moment only."""
    given = instance.database_tenant_url.get_secret_value()
    url = SecretStr(f"{given}?options=-c%20lock_timeout%3D300ms%20-c%20statement_timeout%3D600ms")
    with_limits = Engines(instance.model_copy(update={"database_tenant_url": url}), registry())
    monkeypatch.setitem(app.extensions, "tenantry_engines", with_limits)
    yield
    with_limits.dispose()


@pytest.mark.parametrize("login", [Login.TENANT, Login.PLATFORM])
def test_each_session_of_a_runtime_login_begins_with_limits(app: Any, instance: Settings, login: Login) -> None:
    with connect(instance, login) as connection:
        found = {name: connection.execute(DEFAULTS.format(name)).fetchone()[0] for name in LIMITS}
    assert found == LIMITS | {"statement_timeout": "1min"}


def test_the_owner_takes_the_time_that_it_needs(app: Any, instance: Settings) -> None:
    with connect(instance) as connection:
        assert {connection.execute(DEFAULTS.format(name)).fetchone()[0] for name in LIMITS} == {"0"}


def test_a_page_behind_a_lock_that_is_held_for_ever_is_503_and_the_next_one_works(
    app: Any, instance: Settings, impatient: None
) -> None:
    acme = make_tenant()
    make_bob(acme)
    bob = sign_in_as_bob(app, acme)
    with connect(instance, Login.TENANT, autocommit=True) as injected:
        injected.execute(LOCK, (str(acme.tenant_id),))
        began = time.monotonic()
        page = bob.get("/members")
        assert time.monotonic() - began < 5
    assert page.status == 503
    assert int(page.response.headers["Retry-After"]) > 0
    assert BUSY in page.text
    assert bob.get("/members").status == 200


@pytest.mark.parametrize("state", ["57014", "55P03"])
def test_what_takes_too_long_is_unavailable_and_keeps_its_connection(
    acme: TenantRoute, impatient: None, state: str
) -> None:
    before = backend_of(acme)
    statement = {"57014": "select pg_sleep(20)", "55P03": "do $$ begin raise lock_not_available; end $$"}[state]
    with pytest.raises(UnavailableError, match=BUSY) as caught, tenant_scope(acme, reason="slow"):
        db.session.execute(text(statement))
    assert caught.value.__cause__.sqlstate == state
    assert backend_of(acme) == before


def test_defaults_that_an_injection_left_on_its_login_end_with_the_next_migrate(app: Any, instance: Settings) -> None:
    with connect(instance, Login.TENANT, autocommit=True) as injected:
        database = sql.Identifier(injected.info.dbname)
        injected.execute("alter role current_user set work_mem = '5MB'")
        injected.execute(sql.SQL("alter role current_user in database {} set work_mem = '6MB'").format(database))
    assert work_mem(instance) == "6MB"
    migrate(instance)
    assert work_mem(instance) == "4MB"


def work_mem(instance: Settings) -> str:
    """Return what a new session of the tenant login begins with."""
    with connect(instance, Login.TENANT) as connection:
        return connection.execute("show work_mem").fetchone()[0]


def backend_of(route: TenantRoute) -> int:
    """Return the server process that works for a tenant."""
    with tenant_scope(route, reason="ask"):
        return db.session.scalar(text("select pg_backend_pid()"))
