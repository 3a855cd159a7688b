"""How much a column's content must be protected."""

from __future__ import annotations

from enum import StrEnum


class DataClass(StrEnum):
    """What a value is to those whom it concerns; personal and secret ones are never stored in clear."""

    INTERNAL = "internal"
    PERSONAL = "personal"
    PUBLIC = "public"
    SECRET = "secret"  # noqa: S105  # A class of data, no password.
