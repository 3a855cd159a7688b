"""What create_app calls to put the audit pages into the application."""

from __future__ import annotations

from flask import Flask

from app.audit.views import admin, tenant
from app.audit.wording import describe_action, describe_changes, find_shown_address
from app.core.copy_rules import TableRule, register_copy_rule
from app.core.permissions import Permission
from app.web.hosts import Surface
from app.web.named_tenants import name_tenant
from app.web.navigation import NavItem, register


def init_audit(app: Flask) -> None:
    """Add the audit page of each portal, and the filters that put events into words."""
    app.jinja_env.filters.update(
        action_words=describe_action,
        change_lines=describe_changes,
        shown_address=find_shown_address,
        tenant_slug=name_tenant,
    )
    register_copy_rule(
        TableRule("audit_events", "Audit trail", "Begins with where the copy came from.", is_emptied=True)
    )
    app.register_blueprint(admin.bp)
    app.register_blueprint(tenant.bp)
    register(NavItem(Surface.ADMIN, "Audit", "audit_admin.list_events", "history", Permission.AUDIT_READ, 40))
    register(
        NavItem(Surface.TENANT, "Audit", "audit_tenant.list_events", "history", Permission.WORKSPACE_AUDIT_READ, 40)
    )
