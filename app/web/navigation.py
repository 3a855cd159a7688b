"""The registry of navigation entries; features add theirs in create_app, layouts show what the viewer may open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_items: dict[tuple[str, str], NavItem] = {}


@dataclass(frozen=True)
class NavItem:
    """One entry of a surface's navigation; items of one section stand together under its name."""

    surface: str
    label: str
    endpoint: str
    icon: str
    permission: str | None
    order: int
    section: str = ""

    @property
    def blueprint(self) -> str:
        """Return the endpoint's blueprint: the entry is marked on every page of it."""
        return self.endpoint.rpartition(".")[0]


def register(item: NavItem) -> None:
    """Add an entry; the same one again changes nothing, so that a process may make several apps.

    Errors: ValueError when the endpoint has a different entry on that surface already.
    """
    if _items.setdefault((item.surface, item.endpoint), item) != item:
        raise ValueError(f"{item.endpoint} has a different navigation entry on surface {item.surface} already")


def items_for(surface: str, allowed: Callable[[str], bool]) -> list[NavItem]:
    """List the entries of a surface that need no permission or one that is allowed, in their order."""
    mine = (item for item in _items.values() if item.surface == surface)
    shown = (item for item in mine if item.permission is None or allowed(item.permission))
    return sorted(shown, key=lambda item: (item.order, item.label))
