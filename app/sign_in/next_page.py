"""Where to go after a sign-in: a path of the same host, and nothing that a browser could read as another host."""

from __future__ import annotations

import unicodedata
from typing import Final

START_PAGE: Final = "/"
_MAXIMUM_CHARACTERS: Final = 2_000
_SIGN_IN_PAGES: Final = ("/sign-in", "/sign-out")


def choose_next_page(wanted: str | None) -> str:
    """Return the wanted path with its query, or the start page for anything else than a path of this host.

    Source: WHATWG URL Standard: browsers drop tabs and line ends, and read a backslash as a slash.
    """
    if not wanted or len(wanted) > _MAXIMUM_CHARACTERS:
        return START_PAGE
    # Two slashes begin a host, and to browsers so do three, for which urlsplit sees none.
    if not wanted.startswith("/") or wanted.startswith(("//", *_SIGN_IN_PAGES)):
        return START_PAGE
    if "\\" in wanted or any(unicodedata.category(character).startswith(("C", "Z")) for character in wanted):
        return START_PAGE
    return wanted
