"""The running application's settings, for rooms that are called inside it."""

from __future__ import annotations

from flask import current_app

from app.core.config import Settings, root_secret
from app.core.secrets import derive_key


def current_settings() -> Settings:
    """Return the settings that the running application was made with."""
    settings: Settings = current_app.extensions["tenantry_settings"]
    return settings


def link_key() -> bytes:
    """Return the key from which the tokens of links in mails are derived."""
    return derive_key(root_secret(current_settings()), "links")
