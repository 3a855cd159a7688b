"""What a higher level says on the page of a lower one: features register a source, templates ask for what there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.core.permissions import Permission
from app.web.identity import may


@dataclass(frozen=True)
class Notice:
    """One thing that is said: a label with a tone, a sentence, and where more is read."""

    label: str
    tone: str
    title: str
    text: str
    href: str
    action: str


Source = Callable[[str], Notice | None]
_sources: dict[tuple[str, str], tuple[Permission, Source]] = {}


def register_notice(place: str, name: str, permission: Permission, source: Source) -> None:
    """Let a source speak at a place, such as `server`; it is given the key of what the page is about.

    The same name again takes the place of the first, so that a process may make several apps.
    """
    _sources[place, name] = permission, source


def list_notices(place: str, key: str) -> list[Notice]:
    """Return what there is to say to this viewer about one thing, by name of its source."""
    mine = [found for (where, _name), found in sorted(_sources.items()) if where == place]
    said = [source(key) for permission, source in mine if may(permission)]
    return [notice for notice in said if notice is not None]
