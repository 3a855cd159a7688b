"""A session's row holds a hash, counts within both limits, and is written at most once a minute."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.credentials.rules import STAFF_SESSION
from app.credentials.sessions import SessionColumns, Visit, hash_session_token, make_session_token, session_values

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TICK = timedelta(microseconds=1)


@dataclass(kw_only=True)
class Row(SessionColumns):
    """A row without a table."""

    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    token_hash: bytes = b""
    host: str = ""
    address: str = ""
    user_agent: str = ""


def new_row(**columns: Any) -> Row:
    values = session_values("token", Visit("admin.localhost", "192.0.2.1", "x" * 1_000), STAFF_SESSION, NOW)
    return Row(**values | columns)


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {make_session_token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert {len(token) for token in tokens} == {43}


def test_only_a_hash_is_kept() -> None:
    assert new_row().token_hash == hashlib.sha256(b"token").digest()


@pytest.mark.parametrize("token", ["", "\ud800", "é" * 100_000])
def test_any_cookie_can_be_hashed(token: str) -> None:
    assert len(hash_session_token(token)) == 32


def test_a_browser_cannot_make_a_row_long() -> None:
    assert len(new_row().user_agent) == 400


def test_it_lives_while_it_is_used() -> None:
    assert new_row(seen_at=NOW + HOUR).is_live(STAFF_SESSION, NOW + HOUR + 30 * MINUTE - TICK)


def test_it_dies_idle() -> None:
    assert not new_row(seen_at=NOW + HOUR).is_live(STAFF_SESSION, NOW + HOUR + 30 * MINUTE)


def test_it_dies_of_age() -> None:
    assert not new_row(seen_at=NOW + 12 * HOUR - TICK).is_live(STAFF_SESSION, NOW + 12 * HOUR)


def test_a_row_that_says_when_it_ends_is_believed_even_if_the_limits_were_raised() -> None:
    assert not new_row(expires_at=NOW + MINUTE).is_live(STAFF_SESSION, NOW + MINUTE)


def test_a_revoked_one_is_dead_and_keeps_its_moment() -> None:
    row = new_row()
    row.revoke(NOW)
    row.revoke(NOW + HOUR)
    assert row.revoked_at == NOW
    assert not row.is_live(STAFF_SESSION, NOW)


def test_being_seen_is_written_once_a_minute() -> None:
    assert not new_row().is_seen_due(NOW + MINUTE - TICK)
    assert new_row().is_seen_due(NOW + MINUTE)
