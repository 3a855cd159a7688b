"""What create_app calls to put the sign-in pages into the application."""

from __future__ import annotations

from flask import Flask

from app.sign_in.views import admin, tenant


def init_sign_in(app: Flask) -> None:
    """Add the sign-in pages of the platform's host and of tenants' hosts."""
    app.register_blueprint(admin.bp)
    app.register_blueprint(tenant.bp)
