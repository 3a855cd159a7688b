"""Sessions as their owner reads them: which browser, on what, from where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final, Protocol
from uuid import UUID

UNKNOWN_BROWSER: Final = "Unknown browser"

# In this order, because browsers also name those whose pages they want to be served.
_BROWSERS: Final = (
    (("Edg/", "EdgA/", "EdgiOS/"), "Edge"),
    (("OPR/", "Opera"), "Opera"),
    (("SamsungBrowser/",), "Samsung Internet"),
    (("Firefox", "FxiOS"), "Firefox"),
    (("Chrome/", "Chromium/", "CriOS/"), "Chrome"),
    (("Safari/",), "Safari"),
    (("curl/",), "curl"),
)
_SYSTEMS: Final = (
    (("iPhone",), "iPhone"),
    (("iPad",), "iPad"),
    (("Android",), "Android"),
    (("CrOS",), "ChromeOS"),
    (("Windows",), "Windows"),
    (("Macintosh", "Mac OS X"), "macOS"),
    (("Linux",), "Linux"),
)


class SessionRow(Protocol):
    """What is read of a session, whoever it belongs to."""

    id: UUID
    address: str
    user_agent: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session in plain words."""

    id: UUID
    device: str
    place: str
    created_at: datetime
    seen_at: datetime
    is_current: bool


def describe_sessions(sessions: Iterable[SessionRow], current_id: UUID) -> list[SessionLine]:
    """Return sessions in plain words, the one that asks first."""
    lines = [
        SessionLine(
            row.id,
            describe_device(row.user_agent),
            describe_address(row.address),
            row.created_at,
            row.seen_at,
            row.id == current_id,
        )
        for row in sessions
    ]
    return sorted(lines, key=lambda line: not line.is_current)


def describe_device(user_agent: str) -> str:
    """Return the browser and the system that a user agent claims to be.

    Source: RFC 9110, section 10.1.5; a claim and no proof, good enough to recognise one's own devices.
    """
    browser, system = _find(_BROWSERS, user_agent), _find(_SYSTEMS, user_agent)
    if system is None:
        return browser or UNKNOWN_BROWSER
    return f"{browser or UNKNOWN_BROWSER} on {system}"


def describe_address(address: str) -> str:
    """Return an address with what can be said of it without asking anybody.

    Source: IANA special-purpose address registries, as ipaddress reads them.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.is_loopback:
        return f"The server’s own machine ({address})"
    return f"A private network ({address})" if parsed.is_private else address


def _find(names: tuple[tuple[tuple[str, ...], str], ...], text: str) -> str | None:
    return next((name for marks, name in names if any(mark in text for mark in marks)), None)
