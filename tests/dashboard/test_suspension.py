"""The small area of a suspended workspace: why it rests, for those who run it."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import platform_scope
from app.tenants.services import suspend_tenant
from tests.factories import (
    SETUP,
    host_of,
    make_member,
    sign_in,
    sign_in_as_bob,
)


@pytest.fixture
def acme(acme):
    make_member(acme, "dora@acme.example")
    return acme


def suspend(acme):
    with platform_scope("test"):
        suspend_tenant(acme.tenant_id, reason="Unpaid invoice", actor=SETUP)


def test_the_owner_signs_in_while_suspended_and_reads_why(app, acme):
    suspend(acme)
    bob = sign_in_as_bob(app, acme)
    bob.get("/")
    assert bob.status == 403
    bob.get("/suspended")
    assert "2 members and all their data" in bob.text
    assert bob.status == 200
    assert "Unpaid invoice" in bob.text
    assert "2 members" in bob.text


def test_a_plain_member_reads_no_details(app, acme):
    suspend(acme)
    dora = sign_in(app, host_of(acme), "dora@acme.example")
    dora.get("/suspended")
    assert dora.status == 403


def test_an_open_workspace_has_no_such_page(app, acme):
    bob = sign_in_as_bob(app, acme)
    bob.get("/suspended")
    assert bob.page.url.endswith("localhost/")
