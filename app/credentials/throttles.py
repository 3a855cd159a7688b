"""Throttles as rows: how often an account and an address failed lately, and how long they wait."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.audit.services import unaudited
from app.core import clock
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import ThrottledError
from app.credentials.rules import ACCOUNT_THROTTLE, ADDRESS_THROTTLE, ThrottleRule

# Every rule forgets after a day at most, so an older row says nothing; each try takes a few such rows along.
_KEPT: Final = timedelta(days=1)
_PRUNED_AT_ONCE: Final = 20
_MINUTE_SECONDS: Final = 60
# Whoever asks for mails fills somebody's inbox: fewer tries, longer waits.
_MAIL_THROTTLE: Final = ThrottleRule(
    free_failure_count=3, first_lock_seconds=60, longest_lock_seconds=3600, forget_seconds=24 * 3600
)


class ThrottleColumns:
    """What a throttle's row holds; each table names the columns that make its key unique."""

    unique_columns: ClassVar[tuple[str, ...]]

    key: Mapped[str]
    failures: Mapped[int] = mapped_column(default=0)
    last_failed_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Gate:
    """One key that a try counts for; a shared one serves many accounts, so no success of one clears it."""

    key: str
    rule: ThrottleRule
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Pass:
    """One gate as it stood before a try went through."""

    gate: Gate
    failures_before: int
    last_failed_before: datetime | None


def sign_in_gates(email: str, address: str) -> tuple[Gate, ...]:
    """Return the gates of a sign-in: the account's, which exists for unknown accounts too, and the address's."""
    return (
        Gate(f"account:{_digest(email)}", ACCOUNT_THROTTLE),
        Gate(f"address:{_network_of(address)}", ADDRESS_THROTTLE, is_shared=True),
    )


def mail_gates(email: str, address: str) -> tuple[Gate, ...]:
    """Return the gates of asking for a mail."""
    return (
        Gate(f"mail-to:{_digest(email)}", _MAIL_THROTTLE),
        Gate(f"mail-from:{_network_of(address)}", ADDRESS_THROTTLE, is_shared=True),
    )


@unaudited("a count of tries; the sign-in that they belong to records its own event")
def count_try(model: type[ThrottleColumns], gates: Iterable[Gate]) -> tuple[Pass, ...]:
    """Count a try as failed before it is made, so that many tries at once cannot outrun the lock.

    Errors: ThrottledError while a gate is locked; nothing is counted then, so waiting as told is enough.
    """
    now, by_key = clock.now(), {gate.key: gate for gate in gates}
    with transaction():
        rows = _lock_rows(model, by_key)
        _refuse_locked(
            [by_key[row.key].rule.retry_after_seconds(row.failures, row.last_failed_at, now) for row in rows]
        )
        passes = tuple(Pass(by_key[row.key], row.failures, row.last_failed_at) for row in rows)
        for row in rows:
            row.failures = by_key[row.key].rule.count_failure(row.failures, row.last_failed_at, now)
            row.last_failed_at = now
        _prune(model, now)
    return passes


@unaudited("a count of tries; the sign-in that they belong to records its own event")
def forgive_try(model: type[ThrottleColumns], passes: Iterable[Pass]) -> None:
    """Say that a counted try succeeded: the account's failures are forgotten, the address gets this one back.

    One good account must not wash an address clean from which others are being guessed.
    """
    by_key = {item.gate.key: item for item in passes}
    with transaction():
        for row in _lock_rows(model, by_key):
            _give_back(row, by_key[row.key])
            if row.failures == 0:
                db.session.delete(row)


@unaudited("a count of tries; the use case that proves the account records its own event")
def clear_account(model: type[ThrottleColumns], email: str) -> None:
    """Forget an account's failed sign-ins, because its owner has just proven themselves by a link."""
    with transaction():
        statement = delete(model).where(model.key == f"account:{_digest(email)}")
        db.session.execute(statement, execution_options={"synchronize_session": False})


def _lock_rows(model: type[ThrottleColumns], keys: Iterable[str]) -> list[Any]:
    # In the order of the keys, so that two tries never wait for each other; the update locks what exists.
    statement = insert(model).values([{"key": key, "failures": 0} for key in sorted(keys)])
    locked = statement.on_conflict_do_update(
        index_elements=model.unique_columns, set_={"failures": model.failures}
    ).returning(model)
    return list(db.session.scalars(locked, execution_options={"populate_existing": True}))


def _refuse_locked(waits: list[int]) -> None:
    wait_seconds = max(waits)
    if wait_seconds > 0:
        raise ThrottledError(f"Wait {say_wait(wait_seconds)}, then try again.", wait_seconds)


def say_wait(wait_seconds: int) -> str:
    """Say how long somebody waits, as a part of a sentence."""
    if wait_seconds <= _MINUTE_SECONDS:
        return "a minute" if wait_seconds == _MINUTE_SECONDS else f"{wait_seconds} seconds"
    return f"{-(-wait_seconds // _MINUTE_SECONDS)} minutes"


def _prune(model: type[ThrottleColumns], now: datetime) -> None:
    old = select(model.key).where(model.last_failed_at < now - _KEPT).limit(_PRUNED_AT_ONCE)
    statement = delete(model).where(model.key.in_(old.with_for_update(skip_locked=True)))
    db.session.execute(statement, execution_options={"synchronize_session": False})


def _give_back(row: Any, before: Pass) -> None:
    if not before.gate.is_shared:
        row.failures = 0
        return
    if row.failures == before.failures_before + 1:
        row.last_failed_at = before.last_failed_before
    row.failures = max(0, row.failures - 1)


def _digest(email: str) -> str:
    # People type their password into the wrong field; it must not lie here.
    return hashlib.sha256(email.encode("utf-8", "surrogatepass")).hexdigest()


def _network_of(address: str) -> str:
    """Return an address as throttles count it: an IPv6 customer has a whole network of addresses to go through.

    Source: RFC 4291, section 2.5.4 (interface identifiers of 64 bits).
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    if parsed.version == 4 or mapped is not None:
        return str(mapped or parsed)
    return str(ip_network((parsed, 64), strict=False))
