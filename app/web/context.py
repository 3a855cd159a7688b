"""What every template may ask: who is looking, whose portal this is, where one can go."""

from __future__ import annotations

from typing import Any

from flask import Flask

from app.core.config import Settings
from app.web.choices import name_region
from app.web.hosts import Surface, current_place
from app.web.identity import find_viewer, may
from app.web.navigation import NavItem, items_for
from app.web.notices import list_notices

ACCOUNT_URL = {Surface.TENANT: "/profile", Surface.ADMIN: "/account"}


def init_context(app: Flask, settings: Settings) -> None:
    """Give templates the viewer, the navigation, the base domain and whom to ask for help."""
    app.jinja_env.globals["base_domain"] = settings.base_domain
    app.jinja_env.globals["notices"] = list_notices
    app.jinja_env.filters["region"] = name_region
    app.jinja_env.globals["support"] = make_support_link(settings.support_contact)

    @app.context_processor
    def add_viewer() -> dict[str, Any]:
        return {
            "viewer": find_viewer(),
            "navigation": list_navigation,
            "may": may,
            "account_url": ACCOUNT_URL.get(current_place().surface),
        }


def make_support_link(contact: str | None) -> tuple[str, str] | None:
    """Return the words and the address of the link to those who help, None where nobody is named."""
    if contact is None:
        return None
    return contact.partition("://")[2] or contact, contact if "://" in contact else f"mailto:{contact}"


def list_navigation() -> list[NavItem]:
    """Return the entries of this surface that the viewer may open."""
    return items_for(current_place().surface, may)
