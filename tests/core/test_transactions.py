"""A use case is written whole or not at all, however its parts are nested."""

from __future__ import annotations

import pytest

from app.audit.models import ControlAuditEvent
from app.audit.services import Target, record_event
from app.core.audit_actions import AuditAction
from app.core.database.transactions import after_commit, transaction
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import platform_scope
from tests.factories import SETUP, rows_of


def write(label):
    record_event(AuditAction.SETTINGS_UPDATED, target=Target("toy", None, label), actor=SETUP)


def write_and_break():
    with transaction():
        write("inner")
        raise LookupError


def ignore_a_broken_part():
    with transaction():
        write("outer")
        with pytest.raises(LookupError):
            write_and_break()


def test_a_part_that_failed_and_was_ignored_takes_the_whole_with_it(app):
    with platform_scope("test"), pytest.raises(ScopeError, match="nothing was written"):
        ignore_a_broken_part()
    assert rows_of(ControlAuditEvent) == []


def test_the_next_transaction_of_the_scope_is_its_own(app):
    with platform_scope("test"):
        with pytest.raises(LookupError):
            write_and_break()
        with transaction():
            write("later")
    assert [event.target_label for event in rows_of(ControlAuditEvent)] == ["later"]


def test_nobody_waits_for_a_commit_that_will_not_come(app):
    with platform_scope("test"), pytest.raises(ScopeError, match="no commit"):
        after_commit(print)
