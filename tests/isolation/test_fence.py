"""A fence: the home's state first, then the exclusive lock, which waits for this tenant's transactions alone."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from app.core.config import Settings
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.context import BEGIN_IN_TENANT
from app.core.tenancy.errors import HomeUnavailableError
from app.core.tenancy.scopes import Login, TenantRoute, tenant_scope
from tests.isolation.toy import Toy, connect, make_context, read_toys, set_home

TRY = "select pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
WAIT = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
WAITING = "select count(*) from pg_locks where locktype = 'advisory' and not granted"


def is_free(owner: psycopg.Connection[Any], route: TenantRoute) -> bool:
    """Tell whether a fence of this tenant would have to wait for nobody."""
    with owner.transaction():
        return owner.execute(TRY, (str(route.tenant_id),)).fetchone()[0]


def test_a_fence_waits_for_the_tenants_transaction_and_for_nobody_elses(
    acme: TenantRoute, globex: TenantRoute, instance: Settings
) -> None:
    with connect(instance, autocommit=True) as owner:
        with tenant_scope(globex, reason="work"):
            db.session.scalars(select(Toy)).all()
            assert [is_free(owner, acme), is_free(owner, globex)] == [True, False]
        assert is_free(owner, globex)


def test_transactions_of_one_tenant_do_not_wait_for_each_other(acme: TenantRoute, instance: Settings) -> None:
    with tenant_scope(acme, reason="work"):
        db.session.scalars(select(Toy)).all()
        with connect(instance, Login.TENANT) as second:
            second.execute("set local lock_timeout = '3s'")
            second.execute(BEGIN_IN_TENANT, (make_context(acme), str(acme.tenant_id)))


def test_even_a_transaction_that_only_began_holds_the_fence_up(acme: TenantRoute, instance: Settings) -> None:
    with tenant_scope(acme, reason="work"), connect(instance, autocommit=True) as owner:
        db.session.connection()
        assert not is_free(owner, acme)


def test_the_owners_work_holds_the_fence_up_as_well(acme: TenantRoute, instance: Settings) -> None:
    with tenant_scope(acme, reason="copy", login=Login.OWNER), connect(instance, autocommit=True) as owner:
        db.session.connection()
        assert not is_free(owner, acme)


def test_no_write_is_lost_and_none_gets_in_behind_the_fence(
    acme: TenantRoute, instance: Settings, superuser_url: str
) -> None:
    found: list[set[str]] = []

    def fence() -> None:
        set_home(instance, acme, state="fenced")
        with connect(instance) as owner:
            owner.execute(WAIT, (str(acme.tenant_id),))
            found.append(set(read_toys(instance, superuser_url)))

    fencing = threading.Thread(target=fence)
    with tenant_scope(acme, reason="late write"), transaction():
        db.session.add(Toy(name="in time"))
        db.session.flush()
        fencing.start()
        wait_for_the_fence(instance)
    fencing.join()
    assert found == [{"acme's", "globex's", "in time"}]
    with tenant_scope(acme, reason="too late"), pytest.raises(HomeUnavailableError):
        db.session.scalars(select(Toy)).all()


def wait_for_the_fence(instance: Settings) -> None:
    """Return once somebody waits for an advisory lock."""
    with connect(instance, autocommit=True) as owner:
        for _ in range(500):
            if owner.execute(WAITING).fetchone() != (0,):
                return
            owner.execute("select pg_sleep(0.01)")
    raise AssertionError("the fence did not wait")
