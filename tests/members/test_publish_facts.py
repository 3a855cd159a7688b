"""The figures of a home reach the platform, with their time."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import platform_scope
from app.tenants.queries import list_facts
from tests.factories import invite, make_bob, make_carol, make_tenant, use_cheap_passwords
from tests.work import make_jobs_due, run_jobs


@pytest.fixture
def acme(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    acme = make_tenant("acme")
    make_bob(acme)
    return acme


def publish():
    make_jobs_due()
    run_jobs()


def facts_of(route):
    with platform_scope("test"):
        return {key: fact.value for key, fact in list_facts(route.tenant_id).items()}


def test_the_platform_sees_how_many_members_there_are(acme):
    invite(acme, "dora@acme.example")
    publish()
    facts = facts_of(acme)
    assert (facts["members_count"], facts["members_invited_count"]) == (1, 1)
    assert facts["last_sign_in_at"]


def test_no_tenants_figures_hold_anothers_members(acme):
    globex = make_tenant("globex")
    make_carol(globex)
    invite(globex, "eve@globex.example")
    publish()
    assert facts_of(acme)["members_invited_count"] == 0
    assert facts_of(globex)["members_invited_count"] == 1


def test_many_changes_in_a_minute_make_one_job(acme):
    for number in range(3):
        invite(acme, f"dora{number}@acme.example")
    make_jobs_due()
    mails, facts = 4, 1
    assert run_jobs() <= mails + facts + 1  # A minute may have passed meanwhile.
