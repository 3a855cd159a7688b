"""The story of one account, told from its audit events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

# By the last word of the action; what is missing is neutral.
_LOOKS: Final = {
    "activated": ("success", "circle-check"),
    "created": ("info", "user-plus"),
    "deactivated": ("danger", "ban"),
    "invited": ("info", "mail"),
    "password_changed": ("neutral", "key"),
    "password_reset_requested": ("neutral", "key"),
    "profile_updated": ("neutral", "pencil"),
    "reactivated": ("success", "circle-check"),
    "reinvited": ("info", "mail"),
    "role_changed": ("info", "shield-check"),
    "session_revoked": ("neutral", "device-desktop"),
    "sign_in_failed": ("warning", "lock"),
    "sign_in_link_created": ("info", "link"),
    "signed_in": ("neutral", "login"),
    "signed_out": ("neutral", "logout"),
}
_SPELLINGS: Final = {"email": "E-mail"}
_NEUTRAL: Final = ("neutral", "circle")


class Event(Protocol):
    """What is read of an audit event, of either table."""

    at: datetime
    action: str
    actor_label: str
    target_label: str
    address: str | None
    changes: dict[str, Any]
    reason: str | None


@dataclass(frozen=True, slots=True)
class StoryItem:
    """One event as components/progress.html#timeline shows it."""

    title: str
    text: str
    actor: str
    at: datetime
    tone: str
    icon: str


def tell_story(events: Iterable[Event]) -> list[StoryItem]:
    """Return what happened to an account, in the order of the events."""
    return [_tell(event) for event in events]


def _tell(event: Event) -> StoryItem:
    verb = event.action.rpartition(".")[2]
    tone, icon = _LOOKS.get(verb, _NEUTRAL)
    reason = event.reason or ""
    parts = [_describe_changes(event.changes), reason[:1].upper() + reason[1:]]
    # On the page of one account its own name says nothing.
    who = event.actor_label if event.actor_label != event.target_label else ""
    actor = ", ".join(filter(None, [who, event.address]))
    return StoryItem(_words(verb), ". ".join(filter(None, parts)), actor, event.at, tone, icon)


def _describe_changes(changes: Mapping[str, Any]) -> str:
    return "; ".join(_describe_change(name, *change) for name, change in changes.items())


def _describe_change(name: str, old: object, new: object) -> str:
    return f"{_words(name)}: {new}" if old is None else f"{_words(name)}: {old} → {new}"


def _words(name: str) -> str:
    return _SPELLINGS.get(name) or name.replace("sign_in", "sign-in").replace("_", " ").capitalize()
