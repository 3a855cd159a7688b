"""The provisioning operation: its steps, in order, and what its end means for the tenant."""

from __future__ import annotations

from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.encryption import services as encryption
from app.homes import services as homes
from app.members.services import create_default_roles, invite_member
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation
from app.settings import services as settings
from app.tenants import services as tenants
from app.tenants.status import TenantStatus

PROVISION = "onboarding.provision"
ACTOR = Actor.system("provisioning")


def create_keys(given: StepInput) -> None:
    """Make the tenant's keys."""
    encryption.ensure_keys(given.get_tenant_id())


def create_home(given: StepInput) -> None:
    """Build the home."""
    homes.create_home(given.get_tenant_id())


def purge_home(given: StepInput) -> None:
    """Take the home down again."""
    homes.purge_home(given.get_tenant_id())


def create_roles(_given: StepInput) -> None:
    """Write the built-in roles."""
    create_default_roles(actor=ACTOR)


def create_settings(_given: StepInput) -> None:
    """Write the default settings."""
    settings.create_default_settings(actor=ACTOR)


def invite_owner(given: StepInput) -> None:
    """Write the owner's account and queue the invitation."""
    invite_member(name=given.payload["owner_name"], email=given.payload["owner_email"], role_key="owner", actor=ACTOR)


def activate(given: StepInput) -> None:
    """Open the tenant's portal."""
    tenants.change_status(
        given.get_tenant_id(), TenantStatus.ACTIVE, AuditAction.TENANT_ACTIVATED, reason=None, actor=ACTOR
    )


def fail_tenant(given: StepInput, error: str) -> None:
    """Show the tenant as failed, with the step's words."""
    tenants.change_status(
        given.get_tenant_id(), TenantStatus.FAILED, AuditAction.TENANT_FAILED, reason=error, actor=ACTOR
    )


def resume_tenant(given: StepInput, actor: Actor) -> None:
    """Show the tenant as being provisioned again."""
    tenants.change_status(
        given.get_tenant_id(), TenantStatus.PROVISIONING, AuditAction.TENANT_CREATED, reason="tried again", actor=actor
    )


def drop_tenant(given: StepInput) -> None:
    """End a tenant whose provisioning was taken back."""
    for status in (TenantStatus.DELETING, TenantStatus.DELETED):
        tenants.change_status(
            given.get_tenant_id(), status, AuditAction.TENANT_EXPIRED, reason="provisioning was taken back", actor=ACTOR
        )


def init_provisioning() -> None:
    """Declare the operation."""
    register_operation(
        OperationKind(
            name=PROVISION,
            title="Provision tenant",
            steps=(
                Step("keys", "Create its keys", StepScope.PLATFORM, create_keys),
                Step("home", "Create the home", StepScope.SERVER, create_home, purge_home),
                Step("roles", "Create roles", StepScope.TENANT, create_roles),
                Step("settings", "Apply default settings", StepScope.TENANT, create_settings),
                Step("invitation", "Invite the owner", StepScope.TENANT, invite_owner),
                Step("activation", "Activate the tenant", StepScope.PLATFORM, activate),
            ),
            on_failed=fail_tenant,
            on_retried=resume_tenant,
            on_compensated=drop_tenant,
        )
    )
