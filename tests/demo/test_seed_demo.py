"""The demo: five tenants with a month behind them, however often it is begun."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.audit.models import ControlAuditEvent
from app.core import clock
from app.core.audit_actions import AuditAction
from app.core.errors import StateError
from app.core.tenancy.scopes import platform_scope
from app.demo import seeding
from app.demo.passwords import demo_password
from app.plans.services import seed_catalogue
from app.tenants.models import Tenant
from tests.factories import rows_of, sign_in, use_cheap_passwords
from tests.work import run_jobs


@pytest.fixture(autouse=True)
def _plans(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    with platform_scope("test"):
        seed_catalogue()


def test_the_command_says_how_to_sign_in_there(app):
    result = app.test_cli_runner().invoke(args=["demo", "seed"])
    assert result.exit_code == 0, result.output
    assert demo_password() in result.output
    bob = sign_in(app, "acme.localhost", "bob@acme.example", demo_password())
    bob.get("/members")
    assert "Alice Baker" in bob.text


def test_it_has_a_month_behind_it(app):
    seeding.seed_demo()
    statuses = {tenant.slug: tenant.status for tenant in rows_of(Tenant)}
    assert statuses == {
        "acme": "active",
        "globex": "active",
        "initech": "active",
        "hooli": "suspended",
        "vandelay": "archived",
    }
    oldest = min(event.at for event in rows_of(ControlAuditEvent))
    assert clock.now() - oldest > timedelta(days=29)


def test_seeding_twice_changes_nothing(app):
    seeding.seed_demo()
    before = len(rows_of(ControlAuditEvent))
    seeding.seed_demo()
    assert len(rows_of(ControlAuditEvent)) == before


def test_seeding_goes_on_where_it_was_cut_short(app, monkeypatch):
    def stop(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(seeding, "_pause", stop)
        with pytest.raises(KeyboardInterrupt):
            seeding.seed_demo()
    seeding.seed_demo()
    assert {tenant.slug for tenant in rows_of(Tenant)} >= {"acme", "globex", "hooli"}


def test_a_status_that_has_turned_already_is_not_turned_again(app, monkeypatch):
    def stop(*_arguments, **_keywords):
        raise KeyboardInterrupt

    turned = [story for story in seeding.STORIES if story.reactivated_days_ago is not None]
    monkeypatch.setattr(seeding, "STORIES", turned)
    with monkeypatch.context() as cut:
        cut.setattr(seeding.settings, "update_workspace", stop)
        with pytest.raises(KeyboardInterrupt):
            seeding.seed_demo()
    seeding.seed_demo()
    reactivated = [event for event in rows_of(ControlAuditEvent) if event.action == AuditAction.TENANT_REACTIVATED]
    assert len(reactivated) == len(turned) == 1


def test_its_jobs_run_without_an_error(app):
    seeding.seed_demo()
    assert run_jobs() > 0


def test_it_is_refused_in_production(app, monkeypatch):
    monkeypatch.setattr(seeding, "current_settings", lambda: type("Production", (), {"is_production": True}))
    with pytest.raises(StateError):
        seeding.seed_demo()
