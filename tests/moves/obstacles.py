"""What stands in the way of a move or a clone, put there by the tests of what is looked at before."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from app.clones import copying
from app.clones.copying import Way
from app.core.context_token import sign_context
from app.core.database.owner import owner_connection
from app.core.database.session import db, engines, registry
from app.core.database.transactions import transaction
from app.core.ids import new_id
from app.core.tenancy.context import BEGIN_IN_TENANT
from app.core.tenancy.scopes import DatabaseAddress, Login, TenantRoute, Tier, tenant_scope
from app.homes.building import place_home
from app.moves import engine
from app.settings.models import Setting
from tests.moves.stock import route_to
from tests.servers import ANNEX

MIB = 2**20


def check_move(tenant: TenantRoute, tier: Tier = Tier.SCHEMA, server: str = ANNEX) -> str:
    return engine.check(route_to(tenant, tier, server))


def check_clone(tenant: TenantRoute, tier: Tier = Tier.SCHEMA, server: str = ANNEX) -> str:
    clone_id = new_id()
    return copying.check(Way(tenant.tenant_id, tenant.placement, clone_id, place_home(clone_id, tier, server)))


@contextmanager
def meanwhile(server: str, statement: str, *given: object) -> Iterator[None]:
    """Let another session of the owner's have executed something, and keep its transaction open."""
    with owner_connection(DatabaseAddress(server)) as owner, owner.transaction(force_rollback=True):
        owner.execute("set local idle_in_transaction_session_timeout = '10s'")  # Whoever waits for it fails the test.
        owner.execute(statement, given)
        yield


@contextmanager
def working(tenant: TenantRoute, statement: str = "update {}.settings set value = value") -> Iterator[None]:
    """Let a transaction of the tenant's be open, as a request that hangs leaves it."""
    login = engines().urls.get(Login.TENANT, tenant.placement.address)
    expires = int(time.time()) + 60
    signed = sign_context(registry().context_key(tenant.placement.address), tenant.tenant_id, 1, expires)
    with psycopg.connect(login) as connection:
        connection.execute(BEGIN_IN_TENANT, (signed, str(tenant.tenant_id)))
        connection.execute(statement.format(tenant.placement.schema))
        yield
        connection.rollback()


@contextmanager
def altered(server: str, statement: str, back: str) -> Iterator[None]:
    """Let something of a server's be otherwise for a while."""
    with owner_connection(DatabaseAddress(server)) as owner:
        owner.execute(statement)
        try:
            yield
        finally:
            owner.execute(back)


def set_limit(server: str, storage_bytes: int | None) -> None:
    with owner_connection() as owner:
        owner.execute("update control.servers set storage_bytes = %s where name = %s", (storage_bytes, server))


def grow(tenant: TenantRoute, byte_count: int) -> None:
    """Give a tenant rows of so many bytes that cannot be compressed."""
    with tenant_scope(tenant, reason="test"), transaction():
        for number in range(byte_count // 50_000):
            db.session.add(Setting(key=f"large-{number}", value=os.urandom(25_000).hex()))
