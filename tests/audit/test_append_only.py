"""Nobody alters or deletes an event: the database itself refuses both runtime logins."""

from __future__ import annotations

import psycopg
import pytest

from app.core.config import Settings
from app.core.tenancy.scopes import Login, TenantRoute
from tests.audit.conftest import record
from tests.isolation.toy import attack, connect

VERBS = ["update {} set reason = 'never happened'", "delete from {}", "truncate {}"]


@pytest.mark.parametrize("statement", VERBS)
@pytest.mark.parametrize("login", [Login.TENANT, Login.PLATFORM])
@pytest.mark.parametrize("table", ["control.audit_events", "pool.audit_events"])
def test_a_runtime_login_can_neither_change_nor_delete_an_event(
    acme: TenantRoute, instance: Settings, table: str, login: Login, statement: str
) -> None:
    record("one", acme)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), attack(instance, acme, login) as connection:
        connection.execute(statement.format(table))


def test_the_platforms_login_cannot_read_a_homes_events(acme: TenantRoute, instance: Settings) -> None:
    record("one", acme)
    with connect(instance, Login.PLATFORM) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select * from pool.audit_events")


def test_a_tenant_cannot_write_an_event_in_anothers_name(
    acme: TenantRoute, globex: TenantRoute, instance: Settings
) -> None:
    columns = (
        "tenant_id, id, at, actor_kind, actor_label, actor_search, action, target_kind, target_label, target_search, "
        "changes"
    )
    ada = "ada@platform.example"
    values = (globex.tenant_id, "staff", ada, ada, "tenant.created", "tenant", "Globex", "globex", "{}")
    for table in ("control.audit_events", "pool.audit_events"):
        with attack(instance, acme) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                f"insert into {table} ({columns}) values (%s, gen_random_uuid(), now(), {', '.join(['%s'] * 8)})",
                values,
            )
