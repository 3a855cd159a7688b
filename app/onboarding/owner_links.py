"""A fresh link for a tenant's owner, when the invitation was lost: handed over, or mailed by an operation."""

from __future__ import annotations

from uuid import UUID

from app.audit.services import record_event, unaudited
from app.core.actors import Actor, ActorKind
from app.core.audit_actions import AuditAction
from app.core.database.session import registry
from app.core.database.transactions import transaction
from app.core.errors import StateError
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.members import services as members
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation
from app.tenants.models import Tenant
from app.tenants.queries import get_tenant_by_slug
from app.tenants.status import OPEN, TenantStatus, label
from app.web.links import tenant_url

MAIL_OWNER_LINK = "onboarding.mail_owner_link"
_NOT_YET = frozenset({TenantStatus.REQUESTED, TenantStatus.PROVISIONING, TenantStatus.FAILED})


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


def find_obstacle(tenant: Tenant) -> str | None:
    """Say why no link can be mailed to a tenant's owner now; None when one can."""
    if tenant.status in OPEN:
        return None
    if tenant.status in _NOT_YET:
        return f"{tenant.name} is not set up yet. The owner’s invitation goes out when it is."
    return f"{tenant.name} is {label(tenant.status).lower()}, so a link would lead nowhere."


def describe_asker(actor: Actor) -> dict[str, str | None]:
    """Return who asked for a link as the operation's payload keeps it."""
    return {"kind": actor.kind.value, "label": actor.label, "id": str(actor.id) if actor.id else None}


def mail_link(given: StepInput) -> None:
    """Mail the owner a link, in the name of whoever asked for it."""
    asker = given.payload["asker"]
    asker_id = UUID(asker["id"]) if asker["id"] else None
    members.mail_owner_link(actor=Actor(ActorKind(asker["kind"]), asker["label"], asker_id))


def init_owner_links() -> None:
    """Declare the operation."""
    step = Step("mail", "Mail the owner a link", StepScope.TENANT, mail_link)
    register_operation(OperationKind(name=MAIL_OWNER_LINK, title="Invite the owner again", steps=(step,)))
