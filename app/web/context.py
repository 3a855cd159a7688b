"""What every template may ask: who is looking, whose portal this is, where one can go."""

from __future__ import annotations

from typing import Any

from flask import Flask

from app.core.config import Settings
from app.web.hosts import Surface, current_place
from app.web.identity import find_viewer, may
from app.web.navigation import NavItem, items_for

ACCOUNT_URL = {Surface.TENANT: "/profile", Surface.ADMIN: "/account"}


def init_context(app: Flask, settings: Settings) -> None:
    """Give templates the viewer, the navigation and the base domain."""
    app.jinja_env.globals["base_domain"] = settings.base_domain

    @app.context_processor
    def add_viewer() -> dict[str, Any]:
        return {
            "viewer": find_viewer(),
            "navigation": list_navigation,
            "may": may,
            "account_url": ACCOUNT_URL.get(current_place().surface),
        }


def list_navigation() -> list[NavItem]:
    """Return the entries of this surface that the viewer may open."""
    return items_for(current_place().surface, may)
