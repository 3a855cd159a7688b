"""Where to go after a sign-in: a path of the same host, and nothing that a browser could read as another host."""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import urlsplit

START_PAGE: Final = "/"
_MAXIMUM_CHARACTERS: Final = 2_000
_SIGN_IN_PAGES: Final = ("/sign-in", "/sign-out")


def choose_next_page(wanted: str | None) -> str:
    """Return the wanted path with its query, or the start page for anything else than a path of this host.

    Source: WHATWG URL Standard: browsers drop tabs and line ends, and read a backslash as a slash.
    """
    if not wanted or len(wanted) > _MAXIMUM_CHARACTERS or not wanted.startswith("/"):
        return START_PAGE
    if "\\" in wanted or any(unicodedata.category(character).startswith(("C", "Z")) for character in wanted):
        return START_PAGE
    parts = urlsplit(wanted)
    # An empty netloc alone would let ///host through, which browsers collapse.
    if parts.scheme or parts.netloc or parts.path.startswith("//") or parts.path.startswith(_SIGN_IN_PAGES):
        return START_PAGE
    return wanted
