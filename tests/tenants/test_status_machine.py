"""One table of transitions: the code, the database and the docs hold the same."""

from __future__ import annotations

import re
from pathlib import Path

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

DOCS = Path(__file__).parents[2] / "docs" / "tenant-status.md"
PAIRS = {(start.value, end.value) for start, ends in TRANSITIONS.items() for end in ends}
S = TenantStatus


def rows_in_docs(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading of the docs."""
    section = DOCS.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = re.findall(r"^\| (.+) \|$", section, re.MULTILINE)[1:]
    return [line.split(" | ") for line in lines]


def test_the_database_knows_the_transitions_of_the_code(app):
    assert {(row.from_status, row.to_status) for row in rows_of(TenantStatusTransition)} == PAIRS


def test_the_docs_show_the_transitions_of_the_code():
    shown = {
        (start, end) for start, ends in rows_in_docs("Transitions") for end in ends.split(", ") if end != "nothing"
    }
    assert shown == PAIRS


def test_the_docs_say_what_each_status_means():
    shown = {status: tuple(cells) for status, *cells in rows_in_docs("What each status means")}
    assert shown == {status.value: (effect.portal, effect.api, effect.jobs) for status, effect in EFFECTS.items()}


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
