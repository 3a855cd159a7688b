"""The typed settings of a workspace and their defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """One setting: its key, what people read, its default and the longest value."""

    key: str
    label: str
    default: str
    max_characters: int


WELCOME_MESSAGE = Definition("welcome_message", "Welcome message", "", 500)
SUPPORT_EMAIL = Definition("support_email", "Support e-mail", "", 254)
DEFINITIONS = (SUPPORT_EMAIL, WELCOME_MESSAGE)
