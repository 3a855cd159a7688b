"""What a view declares about who may call it; the access hook enforces it, and no declaration means nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.core.permissions import Permission

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """Who may call an endpoint: anybody (for a reason), whoever is signed in, or holders of a permission."""

    permission: Permission | None = None
    anybody_because: str | None = None


def require(permission: Permission) -> Callable[[View], View]:
    """Declare the permission that the viewer needs."""
    return _declare(Access(permission=permission))


def require_viewer(view: View) -> View:
    """Declare that whoever is signed in may call this: it concerns only themselves."""
    return _declare(Access())(view)


def allow_anybody(reason: str) -> Callable[[View], View]:
    """Declare that no sign-in is needed, and why."""
    return _declare(Access(anybody_because=reason))


def find_access(view: Callable[..., Any]) -> Access | None:
    """Return a view's declaration, or None when it has none."""
    return getattr(view, "tenantry_access", None)


def _declare(access: Access) -> Callable[[View], View]:
    def declare(view: View) -> View:
        view.tenantry_access = access  # type: ignore[attr-defined]  # Any function can carry one.
        return view

    return declare
