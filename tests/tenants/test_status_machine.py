"""One table of transitions: code and database hold the same; tests/docs holds docs/tenants.md to it."""

from __future__ import annotations

import psycopg
import pytest

from app.core.audit_actions import AuditAction
from app.core.errors import StateError
from app.core.tenancy.scopes import platform_scope
from app.tenants import services
from app.tenants.models import TenantStatusTransition
from app.tenants.status import EFFECTS, TRANSITIONS, TenantStatus
from tests.factories import SETUP, rows_of
from tests.tenant_rows import owner_connection
from tests.tenants.registry import WAYS, register, status_of

PAIRS = {(start.value, end.value) for start, ends in TRANSITIONS.items() for end in ends}
S = TenantStatus


def test_the_database_knows_the_transitions_of_the_code(app):
    assert {(row.from_status, row.to_status) for row in rows_of(TenantStatusTransition)} == PAIRS


def test_every_status_has_its_transitions_and_its_meaning():
    assert set(TRANSITIONS) == set(EFFECTS) == set(TenantStatus)


@pytest.mark.parametrize("status", ["requested", "provisioning", *WAYS])
def test_the_database_refuses_every_other_change_whoever_asks(app, status):
    tenant_id = register("acme", status=status)
    refused = set()
    for wanted in TenantStatus:
        with owner_connection() as connection:
            try:
                connection.execute("update control.tenants set status = %s where id = %s", (wanted, tenant_id))
            except psycopg.errors.CheckViolation:
                refused.add(wanted)
            connection.rollback()
    assert refused == set(TenantStatus) - TRANSITIONS[S(status)] - {S(status)}


@pytest.mark.parametrize("status", ["requested", "provisioning", *WAYS])
def test_the_services_refuse_every_other_change(app, status):
    tenant_id = register("acme", status=status)
    for wanted in set(TenantStatus) - TRANSITIONS[S(status)]:
        with platform_scope("test"), pytest.raises(StateError, match="Acme is"):
            services.change_status(tenant_id, wanted, AuditAction.TENANT_UPDATED, reason=None, actor=SETUP)
    assert status_of(tenant_id) == status


def test_nobody_at_runtime_can_add_a_transition(app, instance):
    url = instance.database_platform_url.get_secret_value()
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("insert into control.tenant_status_transitions values ('deleted', 'active')")


def test_the_ways_of_the_tests_are_transitions():
    steps = [way for ways in WAYS.values() for way in zip(("provisioning", *ways), ways, strict=False)]
    assert {step for step in steps if step not in PAIRS} == set()
