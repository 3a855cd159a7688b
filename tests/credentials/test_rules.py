"""Sessions end at the nearer of two limits; failures lock for a time that doubles up to a quarter of an hour."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.credentials.rules import (
    ACCOUNT_THROTTLE,
    ADDRESS_THROTTLE,
    MEMBER_SESSION,
    STAFF_SESSION,
    SessionLimits,
    ThrottleRule,
)

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
RULES = st.sampled_from([ACCOUNT_THROTTLE, ADDRESS_THROTTLE])


def test_a_staff_session_ends_after_30_idle_minutes() -> None:
    assert not STAFF_SESSION.is_over(START, START + HOUR, START + HOUR + 30 * MINUTE - TICK)
    assert STAFF_SESSION.is_over(START, START + HOUR, START + HOUR + 30 * MINUTE)


def test_a_busy_staff_session_ends_after_12_hours() -> None:
    seen_at = START + 12 * HOUR - TICK
    assert not STAFF_SESSION.is_over(START, seen_at, seen_at)
    assert STAFF_SESSION.is_over(START, seen_at, START + 12 * HOUR)


def test_a_member_session_ends_after_8_idle_hours() -> None:
    assert MEMBER_SESSION.ends_at(START, START + DAY) == START + DAY + 8 * HOUR


def test_a_busy_member_session_ends_after_14_days() -> None:
    assert MEMBER_SESSION.ends_at(START, START + 14 * DAY - MINUTE) == START + 14 * DAY


@given(st.sampled_from([STAFF_SESSION, MEMBER_SESSION]), st.timedeltas(timedelta(), 30 * DAY))
def test_no_activity_moves_the_absolute_end(limits: SessionLimits, seen_after: timedelta) -> None:
    assert limits.ends_at(START, START + seen_after) <= START + timedelta(seconds=limits.absolute_seconds)


@pytest.mark.parametrize("failure_count", [0, 1, 5])
def test_the_first_five_failures_of_an_account_lock_nothing(failure_count: int) -> None:
    assert ACCOUNT_THROTTLE.locked_until(failure_count, START) is None


@pytest.mark.parametrize(
    ("failure_count", "lock_seconds"), [(6, 30), (7, 60), (8, 120), (9, 240), (10, 480), (11, 900), (12, 900)]
)
def test_each_further_failure_doubles_the_lock(failure_count: int, lock_seconds: int) -> None:
    assert ACCOUNT_THROTTLE.locked_until(failure_count, START) == START + timedelta(seconds=lock_seconds)


def test_an_address_has_twenty_free_failures() -> None:
    assert ADDRESS_THROTTLE.locked_until(20, START) is None
    assert ADDRESS_THROTTLE.locked_until(21, START) == START + 30 * timedelta(seconds=1)


def test_nothing_is_locked_without_a_failure() -> None:
    assert ACCOUNT_THROTTLE.locked_until(0, None) is None
    assert ACCOUNT_THROTTLE.retry_after_seconds(0, None, START) == 0


@given(RULES, st.integers(0, 10**12))
def test_no_lock_is_longer_than_15_minutes(rule: ThrottleRule, failure_count: int) -> None:
    until = rule.locked_until(failure_count, START)
    assert until is None or START < until <= START + 15 * MINUTE


@given(RULES, st.integers(0, 200))
def test_a_further_failure_never_shortens_the_lock(rule: ThrottleRule, failure_count: int) -> None:
    assert (rule.locked_until(failure_count, START) or START) <= (rule.locked_until(failure_count + 1, START) or START)


@given(RULES, st.integers(0, 50), st.timedeltas(timedelta(), HOUR))
def test_who_waits_as_told_is_accepted(rule: ThrottleRule, failure_count: int, passed: timedelta) -> None:
    now = START + passed
    wait_seconds = rule.retry_after_seconds(failure_count, START, now)
    assert wait_seconds >= 0
    assert rule.retry_after_seconds(failure_count, START, now + timedelta(seconds=wait_seconds)) == 0
    if wait_seconds:
        assert rule.retry_after_seconds(failure_count, START, now + timedelta(seconds=wait_seconds) - MINUTE / 60) >= 1


def test_the_lock_ends_at_its_very_moment() -> None:
    until = START + timedelta(seconds=30)
    assert ACCOUNT_THROTTLE.retry_after_seconds(6, START, until - TICK) == 1
    assert ACCOUNT_THROTTLE.retry_after_seconds(6, START, until) == 0


def test_failures_add_up_until_a_quiet_day() -> None:
    assert ACCOUNT_THROTTLE.count_failure(0, None, START) == 1
    assert ACCOUNT_THROTTLE.count_failure(5, START, START + DAY - TICK) == 6
    assert ACCOUNT_THROTTLE.count_failure(5, START, START + DAY) == 1


def test_failures_of_an_address_are_forgotten_after_a_quiet_hour() -> None:
    assert ADDRESS_THROTTLE.count_failure(30, START, START + HOUR - TICK) == 31
    assert ADDRESS_THROTTLE.count_failure(30, START, START + HOUR) == 1


@pytest.mark.parametrize("rule", [ACCOUNT_THROTTLE, ADDRESS_THROTTLE])
def test_failures_are_remembered_longer_than_any_lock(rule: ThrottleRule) -> None:
    assert rule.forget_seconds > rule.longest_lock_seconds
