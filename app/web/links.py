"""Absolute links, the only ones: a surface (and a tenant), then a path; Host headers are never echoed."""

from __future__ import annotations

from flask import Flask, current_app

from app.core.config import Settings


def init_links(app: Flask, settings: Settings) -> None:
    """Remember the scheme and the base domain of absolute links."""
    app.extensions["tenantry_links"] = (settings.url_scheme, settings.base_domain)


def public_url(path: str = "/") -> str:
    """Return a link to the public site."""
    return _link("", path)


def admin_url(path: str = "/") -> str:
    """Return a link to the platform portal."""
    return _link("admin.", path)


def tenant_url(slug: str, path: str = "/") -> str:
    """Return a link to a tenant's portal."""
    return _link(f"{slug}.", path)


def _link(prefix: str, path: str) -> str:
    scheme, base_domain = current_app.extensions["tenantry_links"]
    return f"{scheme}://{prefix}{base_domain}{path}"
