"""What create_app calls to put mail into the application."""

from __future__ import annotations

from flask import Flask

from app.core.config import Settings
from app.mail import jobs  # noqa: F401  # Importing it declares the job.
from app.mail.rendering import mail_templates
from app.mail.views import public


def init_mail(app: Flask, settings: Settings) -> None:
    """Give mails their templates; outside production, show sent ones in a mailbox."""
    app.extensions["tenantry_mail_templates"] = mail_templates(app.jinja_env)
    if not settings.is_production:
        app.register_blueprint(public.bp)
