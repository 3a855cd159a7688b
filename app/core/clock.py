"""The one source of the time of day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_shift: ContextVar[timedelta | None] = ContextVar("tenantry_clock_shift", default=None)


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC) + (_shift.get() or timedelta())


@contextmanager
def shifted(by: timedelta) -> Iterator[None]:
    """Let this thread's block live at another time, for the demo's history and for tests of expiry.

    The database's own clock is not shifted: contexts and leases are judged by the real time.
    """
    token = _shift.set(now() - datetime.now(UTC) + by)
    try:
        yield
    finally:
        _shift.reset(token)
