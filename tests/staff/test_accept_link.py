"""A one-time link sets the password once, ends what went before, and opens the account of nobody else."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from app.audit.models import ControlAuditEvent
from app.core import clock
from app.core.errors import InputError, ThrottledError
from app.core.runtime import link_key
from app.core.tenancy.scopes import platform_scope
from app.credentials.link_rows import LinkError, derive_link_token
from app.credentials.links import LinkPurpose, make_token
from app.staff import queries, services
from app.staff.models import StaffSession
from app.web.hosts import Portal
from tests.factories import (
    ADA,
    ADMIN_HOST,
    NEW_PASSWORD,
    PASSWORD,
    SETUP,
    actions_of,
    make_staff_user,
    rows_of,
    visit_to,
)

VISIT = visit_to(ADMIN_HOST)


@pytest.fixture
def token(app: Portal) -> str:
    """A fresh link of Ada, who has a password and a session."""
    make_staff_user()
    with platform_scope("test"):
        user_id = services.create_sign_in_link(email=ADA, actor=SETUP)
        return derive_link_token(queries.get_staff_user(user_id))


def accept(token: str, password: str = NEW_PASSWORD) -> str:
    with platform_scope("test"):
        return services.accept_link(token, password=password, visit=VISIT)


def sign_in(password: str) -> str:
    with platform_scope("test"):
        return services.sign_in(email=ADA, password=password, visit=VISIT)


def test_the_new_password_works_and_the_old_one_does_not(token: str) -> None:
    accept(token)
    assert sign_in(NEW_PASSWORD)
    with pytest.raises(InputError):
        sign_in(PASSWORD)


def test_it_works_once(token: str) -> None:
    accept(token)
    with pytest.raises(LinkError):
        accept(token)


def test_it_ends_older_sessions(token: str) -> None:
    [old] = rows_of(StaffSession)
    accept(token)
    assert {session.id: session.revoked_at is None for session in rows_of(StaffSession)}[old.id] is False


def test_it_expires(token: str) -> None:
    with clock.shifted(timedelta(days=3)), pytest.raises(LinkError):
        accept(token)


def test_a_refused_password_spends_nothing(token: str) -> None:
    with pytest.raises(InputError) as caught:
        accept(token, "adalovelace1")
    assert caught.value.field == "password"
    assert accept(token)


def test_it_lifts_the_lock_of_the_account(token: str) -> None:
    for _ in range(6):
        with pytest.raises(InputError):
            sign_in("wrong " * 3)
    with pytest.raises(ThrottledError):
        sign_in(PASSWORD)
    accept(token)
    assert sign_in(NEW_PASSWORD)


def test_a_forged_row_id_is_void(token: str) -> None:
    forged = make_token(link_key(), LinkPurpose.STAFF_SIGN_IN, UUID(int=7), 1)
    with pytest.raises(LinkError):
        accept(forged)


def test_it_is_audited_as_the_staff_user(token: str) -> None:
    accept(token)
    events = sorted(rows_of(ControlAuditEvent), key=lambda event: (event.at, event.id))
    assert actions_of(events)[-2:] == ["staff.password_changed", "staff.signed_in"]
    assert (events[-1].actor_label, events[-1].address) == (ADA, "192.0.2.1")
