"""The composers that features register: from a job's payload to a mail, at the moment it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.mail.names import MailName


@dataclass(frozen=True)
class Mail:
    """One mail before it is rendered; `template` is a folder in templates/emails."""

    to: str
    template: str
    context: dict[str, object]


Composer = Callable[[dict[str, str]], Mail | None]

_composers: dict[str, Composer] = {}


def composer(name: MailName) -> Callable[[Composer], Composer]:
    """Declare the function that composes a kind of mail, in the scope in which it was queued.

    Shape: None when there is nothing to send any more, such as a link that was used or replaced.
    """

    def declare(compose: Composer) -> Composer:
        _composers[name] = compose
        return compose

    return declare


def get_composer(name: str) -> Composer:
    """Return the composer of a kind of mail; KeyError for one that no feature declares."""
    return _composers[name]
