"""Tenantry: the control plane for multi-tenant software; create_app is the only composition root."""

from __future__ import annotations

from pathlib import Path

from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from app import cli
from app.audit.wiring import init_audit
from app.clones.wiring import init_clones
from app.core.config import Settings, load_settings
from app.core.database.readiness import check_logins
from app.core.database.session import init_database, registry
from app.core.database.versions import schema_check
from app.core.logging import init_logging
from app.core.redis import init_redis
from app.dashboard.wiring import init_dashboard
from app.demo.commands import demo_group
from app.encryption.wiring import init_encryption
from app.homes.wiring import init_homes
from app.isolation.wiring import init_isolation
from app.jobs.wiring import init_jobs
from app.mail.wiring import init_mail
from app.members.wiring import init_members
from app.moves.wiring import init_moves
from app.onboarding.wiring import init_onboarding
from app.operations.wiring import init_operations
from app.servers.wiring import init_servers
from app.settings.wiring import init_settings
from app.sign_in.wiring import init_sign_in
from app.staff.wiring import init_staff
from app.tenants.gate import init_gate
from app.tenants.wiring import init_tenants
from app.web import probes
from app.web.context import init_context
from app.web.error_pages import init_error_pages
from app.web.hosts import Portal, place_resolver
from app.web.identity import init_identity
from app.web.links import init_links
from app.web.moments import init_moments
from app.web.rate_limits import init_rate_limits
from app.web.request_log import init_request_log
from app.web.scoping import init_scoping
from app.web.security_headers import init_security_headers
from app.web.static import init_static

ROOT = Path(__file__).parents[1]


def create_app(settings: Settings | None = None, *, polls: bool = True) -> Portal:
    """Compose the application; nothing connects before the first use.

    Errors: ConfigError for settings that cannot work.
    """
    settings = settings or load_settings()
    init_logging(settings.log_level)
    app = Portal("app", root_path=str(ROOT), static_folder=None, template_folder="templates")
    app.extensions["tenantry_settings"] = settings
    init_database(app, settings, polls=polls)
    init_redis(app, settings)
    app.extensions["tenantry_login_check"] = lambda: check_logins(settings)
    app.extensions["tenantry_schema_check"] = lambda: schema_check(settings)
    _init_web(app, settings)
    _init_features(app, settings)
    cli.init_cli(app)
    return app


def _init_web(app: Portal, settings: Settings) -> None:
    with app.app_context():
        app.place_of = place_resolver(settings.base_domain, registry().resolve_host)
    init_links(app, settings)
    init_static(app)
    init_request_log(app)
    init_scoping(app)
    init_gate(app)
    CSRFProtect(app)
    init_identity(app, settings)
    init_error_pages(app)
    init_security_headers(app, is_https=settings.is_https)
    init_context(app, settings)
    init_moments(app)
    init_rate_limits(app, settings)
    app.register_blueprint(probes.bp)
    count = settings.trusted_proxy_count
    if count:
        proxied = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # Flask's own way of wrapping an application.


def _init_features(app: Portal, settings: Settings) -> None:
    """Add each feature's views, jobs and navigation, lowest level first."""
    init_audit(app)
    init_operations(app)
    init_jobs(app, settings)
    init_mail(app, settings)
    init_servers(app)
    init_tenants(app)
    init_encryption(app, settings)
    init_homes(app)
    init_moves(app)
    init_staff(app)
    init_members(app)
    init_settings(app)
    init_clones(app)
    init_isolation(app, settings)
    init_sign_in(app)
    init_onboarding(app)
    init_dashboard(app)
    app.cli.add_command(demo_group)
