"""The day on which a clone is closed: bounds, the reminder, the archiving, another day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.audit.models import ControlAuditEvent
from app.clones.mails import compose_expiry
from app.clones.operation import ACTOR
from app.clones.services import change_expiry, watch_clones
from app.core import clock
from app.core.database.transactions import transaction
from app.core.errors import InputError, StateError
from app.core.job_names import JobName
from app.core.jobs import enqueue
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.jobs.schedules import list_schedules
from app.tenants.services import unarchive_tenant
from app.web.hosts import Portal
from tests.clones.acts import EVE, ask, read, set_expiry
from tests.factories import SETUP, actions_of, deliver_mails, make_tenant, rows_of
from tests.tenant_rows import set_tenant
from tests.work import make_jobs_due, run_jobs

DAY = date(2030, 6, 10)


def moved_to(moment: datetime) -> object:
    """Let the product's clock say this moment."""
    return clock.shifted(moment - datetime.now(UTC))


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def look(moment: datetime) -> None:
    with moved_to(moment), platform_scope("test"):
        watch_clones(actor=ACTOR)


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    return make_tenant("acme")


@pytest.fixture
def copied(acme: TenantRoute) -> TenantRoute:
    """A clone in Tokyo that is closed on DAY, which begins there at 15:00 UTC of the day before."""
    clone_id = ask(acme)
    run_jobs()
    set_tenant(clone_id, time_zone="Asia/Tokyo", expires_on=DAY)
    return read(clone_id)


def clone_events() -> list[str]:
    return [name for name in actions_of(rows_of(ControlAuditEvent)) if name.startswith("clone.")][2:]


def reminders() -> list[str]:
    make_jobs_due()  # They were queued by a clock that is ahead.
    return [mail["Subject"] for mail in deliver_mails() if mail["To"] == EVE and "10 Jun 2030" in mail["Subject"]]


def test_it_is_archived_when_its_day_begins_where_it_is(copied: TenantRoute) -> None:
    eve_of_it = DAY - timedelta(days=1)
    look(at(eve_of_it, 14, 59))
    assert read(copied.id).status == "active"
    look(at(eve_of_it, 15))
    clone = read(copied.id)
    assert (clone.status, clone.status_reason) == ("archived", "Its time as a clone is over.")
    look(at(DAY, 15))
    assert read(copied.id).status == "archived"


def test_its_owner_is_reminded_once_three_days_before(copied: TenantRoute) -> None:
    before = len(reminders())
    look(at(DAY - timedelta(days=4), 14, 59))
    assert len(reminders()) == before
    for _tick in range(2):
        look(at(DAY - timedelta(days=4), 15))
    assert len(reminders()) == before + 1
    assert clone_events() == ["clone.reminded"]
    with platform_scope("test"):
        change_to(copied, None)
        assert compose_expiry({"tenant_id": str(copied.id), "expires_on": DAY.isoformat()}) is None


def change_to(clone: TenantRoute, day: date | None) -> None:
    change_expiry(clone.id, day, actor=SETUP)


def test_another_day_is_another_reminder(copied: TenantRoute) -> None:
    look(at(DAY - timedelta(days=2), 12))
    with moved_to(at(DAY - timedelta(days=2), 13)), platform_scope("test"):
        change_to(copied, DAY + timedelta(days=30))
        change_to(copied, DAY + timedelta(days=30))
    look(at(DAY + timedelta(days=28), 12))
    assert clone_events() == ["clone.reminded", "clone.expiry_changed", "clone.reminded"]


def test_an_archived_clone_is_kept_longer_and_opened_again(copied: TenantRoute) -> None:
    look(at(DAY, 15))
    later = at(DAY, 16)
    with moved_to(later), platform_scope("test"):
        change_to(copied, None)
        unarchive_tenant(copied.id, actor=SETUP)
    look(later)
    assert read(copied.id).status == "active"


def test_a_suspended_clone_is_archived_too_and_not_reminded(copied: TenantRoute) -> None:
    set_tenant(copied.id, status="suspended")
    before = len(reminders())
    look(at(DAY - timedelta(days=2), 12))
    assert len(reminders()) == before
    look(at(DAY, 1))
    assert read(copied.id).status == "archived"


@pytest.mark.parametrize("days", [-1, 0, 366])
def test_a_day_out_of_bounds_is_refused_beside_the_field(acme: TenantRoute, days: int) -> None:
    with pytest.raises(InputError, match="at most 365 days away") as refused:
        ask(acme, expires_on=clock.now().date() + timedelta(days=days))
    assert refused.value.field == "expires_on"


@pytest.mark.parametrize("days", [1, 365])
def test_the_first_and_the_last_possible_day_are_taken(acme: TenantRoute, days: int) -> None:
    day = clock.now().date() + timedelta(days=days)
    assert read(ask(acme, expires_on=day)).expires_on == day


def test_what_is_no_clone_or_is_gone_has_no_such_day(acme: TenantRoute, copied: TenantRoute) -> None:
    with platform_scope("test"), pytest.raises(StateError, match="Acme is no clone"):
        change_expiry(acme.tenant_id, None, actor=SETUP)
    for status in ("archived", "deleting", "deleted"):
        set_tenant(copied.id, status=status)
    with platform_scope("test"), pytest.raises(StateError, match="no clone that could be kept longer"):
        change_to(copied, None)


def test_a_tenant_that_is_no_clone_is_never_archived_by_the_clock(acme: TenantRoute) -> None:
    look(at(DAY, 12))
    assert read(acme.tenant_id).status == "active"


def test_the_look_is_hourly_and_a_job(copied: TenantRoute) -> None:
    assert {schedule.job: schedule.every_seconds for schedule in list_schedules()}[JobName.CLONES_WATCH] == 3600
    set_expiry(copied.id, date(2020, 1, 1))
    with platform_scope("test"), transaction():
        enqueue(JobName.CLONES_WATCH)
    run_jobs()
    assert read(copied.id).status == "archived"
