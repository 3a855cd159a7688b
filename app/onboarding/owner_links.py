"""A fresh link for a tenant's owner, when the invitation was lost."""

from __future__ import annotations

from app.audit.services import record_event, unaudited
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import registry
from app.core.database.transactions import transaction
from app.core.errors import StateError
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.members import services as members
from app.tenants.queries import get_tenant_by_slug
from app.web.links import tenant_url


@unaudited("it records the platform's event itself, the member's service the home's")
def create_owner_link(slug: str, *, actor: Actor) -> str:
    """Return a link by which the owner sets up sign-in or a new password; earlier links stop working.

    Called outside any scope: it enters the platform's and then the tenant's, each with its own transaction.

    Errors: NotFoundError without such a tenant; StateError before it is provisioned.
    """
    with platform_scope("owner link is recorded"), transaction():
        tenant = get_tenant_by_slug(slug)
        route = registry().find_route(tenant.id)
        if route is None or route.home_state != "active":
            raise StateError(f"{slug} has no home yet; its provisioning has not ended.")
        # Before the link is made: a link without an event would be worse than an event without a link.
        record_event(AuditAction.TENANT_OWNER_LINK_CREATED, target=tenant.target, actor=actor, tenant_id=tenant.id)
    with tenant_scope(route, reason="owner link is made"):
        return tenant_url(slug, members.create_owner_link(actor=actor))
