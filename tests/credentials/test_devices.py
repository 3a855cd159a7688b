"""Sessions are told in words by which their owner recognises them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import new_id
from app.credentials.devices import describe_address, describe_device, describe_sessions

AT = datetime(2026, 5, 14, 9, 30, tzinfo=UTC)
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@dataclass
class Row:
    id: UUID
    address: str = "192.0.2.1"
    user_agent: str = "curl/8.15.0"
    created_at: datetime = AT
    seen_at: datetime = AT


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0 Safari/537.36 OPR/120.0", "Opera on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko Firefox/145.0", "Firefox on macOS"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) {WEBKIT} Version/19 Safari/605", "Safari on macOS"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 19 like Mac OS X) {WEBKIT} CriOS/140 Safari/604", "Chrome on iPhone"),
        (f"Mozilla/5.0 (iPad; CPU OS 19 like Mac OS X) {WEBKIT} Version/19 Safari/604", "Safari on iPad"),
        ("Mozilla/5.0 (Linux; Android 16) SamsungBrowser/29 Chrome/140 Safari/537", "Samsung Internet on Android"),
        (f"Mozilla/5.0 (X11; CrOS x86_64) {WEBKIT} Chrome/140.0 Safari/537.36", "Chrome on ChromeOS"),
        ("curl/8.15.0", "curl"),
        ("Robot (Linux)", "Unknown browser on Linux"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_recognised_by_what_it_claims(user_agent: str, words: str) -> None:
    assert describe_device(user_agent) == words


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("203.0.113.9.evil", "203.0.113.9.evil"),
        ("8.8.8.8", "8.8.8.8"),
        ("2606:4700::1111", "2606:4700::1111"),
        ("127.0.0.1", "The server’s own machine (127.0.0.1)"),
        ("::1", "The server’s own machine (::1)"),
        ("10.1.2.3", "A private network (10.1.2.3)"),
        ("fd00::1", "A private network (fd00::1)"),
        ("unknown", "unknown"),
    ],
)
def test_an_address_is_told_with_what_is_known_of_it(address: str, words: str) -> None:
    assert describe_address(address) == words


@given(text=st.text(max_size=60))
def test_no_text_is_too_strange_to_describe(text: str) -> None:
    assert describe_device(text)
    assert describe_address(text) in (text, f"A private network ({text})", f"The server’s own machine ({text})")


def test_the_session_that_asks_comes_first_and_is_marked() -> None:
    rows = [Row(new_id()) for _ in range(3)]
    lines = describe_sessions(rows, rows[1].id)
    assert [line.id for line in lines] == [rows[1].id, rows[0].id, rows[2].id]
    assert [line.is_current for line in lines] == [True, False, False]
