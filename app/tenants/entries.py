"""What may be entered about a tenant, each in its one spelling: reasons, tags, keys, values, notes, names of views."""

from __future__ import annotations

import re
import unicodedata

from app.core.errors import InputError

MAX_REASON_CHARACTERS = 500
MAX_TAG_CHARACTERS = 40
MAX_KEY_CHARACTERS = 60
MAX_VALUE_CHARACTERS = 500
MAX_NOTE_CHARACTERS = 4_000
MAX_NAME_CHARACTERS = 100
MAX_VIEW_NAME_CHARACTERS = 60

_WORD = re.compile(r"[^\W_][\w.:/-]*")


def check_reason(text: str | None) -> str:
    """Return the reason for a change of status.

    Errors: InputError on field `reason` when it says nothing or too much.
    """
    return _text(text, "reason", MAX_REASON_CHARACTERS, missing="Say why.")


def check_tag(text: str | None) -> str:
    """Return a tag: one word in lower case; spaces become hyphens.

    Errors: InputError on field `tag`.
    """
    return _word(text, "tag", MAX_TAG_CHARACTERS)


def check_key(text: str | None) -> str:
    """Return a key of metadata: one word in lower case; spaces become hyphens.

    Errors: InputError on field `key`.
    """
    return _word(text, "key", MAX_KEY_CHARACTERS)


def check_value(text: str | None) -> str:
    """Return a value of metadata.

    Errors: InputError on field `value`.
    """
    return _text(text, "value", MAX_VALUE_CHARACTERS)


def check_note(text: str | None) -> str:
    """Return the text of a note.

    Errors: InputError on field `text`.
    """
    return _text(text, "text", MAX_NOTE_CHARACTERS)


def check_view_name(text: str | None) -> str:
    """Return the name of a saved view.

    Errors: InputError on field `name`.
    """
    return " ".join(_text(text, "name", MAX_VIEW_NAME_CHARACTERS, missing="Name the view.").split())


def _word(text: str | None, field: str, most: int) -> str:
    word = "-".join(_text(text, field, most).casefold().split())
    if not _WORD.fullmatch(word):
        raise InputError("Begin with a letter or digit; letters, digits and . : / _ - may follow.", field)
    return word


def _text(text: str | None, field: str, most: int, *, missing: str = "Fill in this field.") -> str:
    clean = unicodedata.normalize("NFC", (text or "").strip())
    if not clean:
        raise InputError(missing, field)
    if len(clean) > most:
        raise InputError(f"Use at most {most:,} characters.", field)
    if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in clean):
        raise InputError("Take out the control characters.", field)
    return clean
