"""A COMMIT whose answer is lost is looked up by the key of a row that it wrote, and never blindly repeated."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.audit.models import ControlAuditEvent, HomeAuditEvent
from app.audit.services import Target, record_event
from app.core.audit_actions import AuditAction
from app.core.database import transactions
from app.core.database.session import db
from app.core.database.transactions import after_commit, transaction
from app.core.errors import UnavailableError
from app.core.jobs import PlatformJob, TenantJob, enqueue
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.settings.models import Setting
from tests.factories import SETUP
from tests.jobs.toys import Toy
from tests.tenant_rows import make_tenant_rows
from tests.wire import ALL_CONNECTIONS, wired_app


@pytest.fixture
def wire(app, instance):
    with wired_app(instance) as (_portal, wire):
        yield wire


@pytest.fixture(params=["platform", "tenant"])
def enter(request, wire):
    """The function that enters a scope, once the platform's and once a tenant's."""
    if request.param == "platform":
        return lambda: platform_scope("test")
    acme = make_tenant_rows("acme")
    return lambda: tenant_scope(acme, reason="test")


@pytest.fixture
def enter_acme(wire):
    acme = make_tenant_rows("acme")
    return lambda: tenant_scope(acme, reason="test")


def write_event():
    record_event(AuditAction.SETTINGS_UPDATED, target=Target("toy", None, "toy"), actor=SETUP)


def write_with(hooks):
    """Write an event, and note when the commit's hooks run."""
    with transaction():
        write_event()
        after_commit(lambda: hooks.append("ran"))


def count(enter, platform_model, tenant_model):
    """Count what is written where a scope writes it."""
    with enter() as scope:
        return len(db.session.scalars(select(tenant_model if scope.is_tenant else platform_model)).all())


def count_events(enter):
    return count(enter, ControlAuditEvent, HomeAuditEvent)


def test_a_commit_whose_answer_was_lost_is_a_success(enter, wire):
    hooks = []
    wire.lose_answer()
    with enter():
        write_with(hooks)
    assert wire.lost is None
    assert hooks == ["ran"]
    assert count_events(enter) == 1


def test_a_commit_that_the_server_never_saw_is_not_called_a_success(enter, wire):
    hooks = []
    wire.lose_commit()
    with pytest.raises(UnavailableError, match="may or may not be saved") as caught, enter():
        write_with(hooks)
    assert caught.value.retry_after_seconds is None
    assert hooks == []
    assert count_events(enter) == 0


def test_a_job_is_witness_enough(enter, wire):
    wire.lose_answer()
    with enter(), transaction():
        enqueue(Toy.NOTE)
    assert wire.lost is None
    assert count(enter, PlatformJob, TenantJob) == 1


def test_a_tenants_change_of_its_control_rows_is_found_too(enter_acme, wire):
    wire.lose_answer()
    with enter_acme(), transaction():
        record_event(AuditAction.TENANT_UPDATED, target=Target("tenant", None, "Acme"), actor=SETUP, in_control=True)
    assert wire.lost is None
    assert count(enter_acme, HomeAuditEvent, ControlAuditEvent) == 1


def test_the_rows_of_a_commit_that_was_found_serve_on(enter_acme, wire):
    with enter_acme():
        with transaction():
            db.session.add(old := Setting(key="old", value=1))
        wire.lose_answer()
        with transaction():
            db.session.add(new := Setting(key="new", value=1))
            old.value = 2
            write_event()
        assert wire.lost is None
        assert (old.value, new.value, new in db.session) == (2, 1, True)
        with transaction():
            old.value, new.value = 3, 3
    with enter_acme():
        assert list(db.session.scalars(select(Setting.value))) == [3, 3]


def test_a_server_that_needs_a_moment_is_asked_again(enter, wire):
    wire.lose_answer(then_refuse=2)
    with enter(), transaction():
        write_event()
    assert wire.refusals == 0
    assert count_events(enter) == 1


def test_a_server_that_stays_away_leaves_the_outcome_open(enter, wire, monkeypatch):
    monkeypatch.setattr(transactions, "LOOK_SECONDS", 0.6)
    wire.lose_answer(then_refuse=ALL_CONNECTIONS)
    with pytest.raises(UnavailableError, match="may or may not be saved"), enter(), transaction():
        write_event()
    assert wire.refusals < ALL_CONNECTIONS
    wire.refusals = 0
    assert count_events(enter) == 1


def test_a_commit_without_a_witness_fails_as_it_always_did(enter_acme, wire):
    wire.lose_answer()
    with pytest.raises(UnavailableError, match="does not answer") as caught, enter_acme(), transaction():
        db.session.add(Setting(key="old", value=1))
    assert caught.value.retry_after_seconds > 0


def test_an_event_outside_a_transaction_is_refused(app):
    with platform_scope("test"), pytest.raises(ScopeError, match="no commit"):
        write_event()
