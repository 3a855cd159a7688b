"""How people are called: one line of text, with single spaces."""

from __future__ import annotations

import unicodedata

from app.core.errors import InputError

MAXIMUM_CHARACTERS = 100


def check_person_name(text: str) -> str:
    """Return a person's name as it is stored.

    Errors: InputError on field `name` for no name, one that is too long, or one with control characters.
    """
    words = unicodedata.normalize("NFC", " ".join(text.split()))
    if not 0 < len(words) <= MAXIMUM_CHARACTERS:
        raise InputError(f"Write a name of 1 to {MAXIMUM_CHARACTERS} characters.", "name")
    if any(unicodedata.category(character) == "Cc" for character in words):
        raise InputError("Take the control characters out of the name.", "name")
    return words
