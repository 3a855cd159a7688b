"""When a session ends and how long failures lock: arithmetic over moments that the caller supplies."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_MINUTE_SECONDS: Final = 60
_HOUR_SECONDS: Final = 60 * _MINUTE_SECONDS
_DAY_SECONDS: Final = 24 * _HOUR_SECONDS


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts without a request, and at all."""

    idle_seconds: int
    absolute_seconds: int

    def ends_at(self, started_at: datetime, seen_at: datetime) -> datetime:
        """Return the moment from which the session is over, unless another request comes before it.

        Units: aware moments; the session is the half-open period from `started_at` to the result.
        Source: NIST SP 800-63B, reauthentication (an overall limit and one of inactivity).
        """
        idle_end = seen_at + timedelta(seconds=self.idle_seconds)
        return min(idle_end, started_at + timedelta(seconds=self.absolute_seconds))

    def is_over(self, started_at: datetime, seen_at: datetime, now: datetime) -> bool:
        """Tell whether the session has reached either limit."""
        return now >= self.ends_at(started_at, seen_at)


@dataclass(frozen=True, slots=True)
class ThrottleRule:
    """How failures in a row lock whoever made them: some are free, then each doubles the lock up to a cap."""

    free_failure_count: int
    first_lock_seconds: int
    longest_lock_seconds: int
    forget_seconds: int

    def count_failure(self, failure_count: int, last_failed_at: datetime | None, now: datetime) -> int:
        """Return the count after one more failure; those before a quiet period of `forget_seconds` are forgotten."""
        if last_failed_at is None or now - last_failed_at >= timedelta(seconds=self.forget_seconds):
            return 1
        return failure_count + 1

    def locked_until(self, failure_count: int, last_failed_at: datetime | None) -> datetime | None:
        """Return the moment from which the next try is accepted, or None when nothing ever locked.

        Units: aware moments; the lock is the half-open period from `last_failed_at` to the result.
        Source: NIST SP 800-63B, rate limiting (a wait that grows with each failure).
        """
        beyond = failure_count - self.free_failure_count
        if last_failed_at is None or beyond <= 0:
            return None
        # The exponent is bounded before it is used: a count from a long attack must not build a giant number.
        lock_seconds = self.first_lock_seconds * 2 ** min(beyond - 1, self.longest_lock_seconds.bit_length())
        return last_failed_at + timedelta(seconds=min(lock_seconds, self.longest_lock_seconds))

    def retry_after_seconds(self, failure_count: int, last_failed_at: datetime | None, now: datetime) -> int:
        """Return how long a try has to wait, 0 when it is accepted now.

        Units: whole seconds, rounded up, so that who waits as told is not refused again.
        """
        until = self.locked_until(failure_count, last_failed_at)
        return 0 if until is None else max(0, -((now - until) // timedelta(seconds=1)))


# The staff's limits are those of assurance level 2 in NIST SP 800-63B, revision 3, section 4.2.3.
STAFF_SESSION: Final = SessionLimits(idle_seconds=30 * _MINUTE_SECONDS, absolute_seconds=12 * _HOUR_SECONDS)
MEMBER_SESSION: Final = SessionLimits(idle_seconds=8 * _HOUR_SECONDS, absolute_seconds=14 * _DAY_SECONDS)

ACCOUNT_THROTTLE: Final = ThrottleRule(
    free_failure_count=5,
    first_lock_seconds=30,
    longest_lock_seconds=15 * _MINUTE_SECONDS,
    forget_seconds=_DAY_SECONDS,
)
# An office shares one address, so it gets more tries and is forgotten sooner.
ADDRESS_THROTTLE: Final = ThrottleRule(
    free_failure_count=20,
    first_lock_seconds=30,
    longest_lock_seconds=15 * _MINUTE_SECONDS,
    forget_seconds=_HOUR_SECONDS,
)
