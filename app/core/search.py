"""Text as search columns hold it: an index finds its beginning, whatever case and form it was written in."""

from __future__ import annotations

import unicodedata


def normalise_search(text: str) -> str:
    """Return text as a search column holds it, so that equal looking text is equal.

    Source: Unicode Standard Annex 15, form NFC.
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
