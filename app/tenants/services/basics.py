"""What a tenant is called and whom to contact."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from app.audit.services import record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.transactions import transaction
from app.core.errors import ConflictError
from app.tenants import queries
from app.tenants.models import Tenant

CHANGED_MEANWHILE = "Somebody else changed this tenant while you were editing. Save again to overwrite that change."


@dataclass(frozen=True)
class TenantBasics:
    """What staff may edit; plan, region and address change by other means."""

    name: str
    owner_name: str
    owner_email: str

    @classmethod
    def of(cls, tenant: Tenant) -> TenantBasics:
        """Read them from a tenant."""
        return cls(tenant.name, tenant.owner_name, tenant.owner_email)


def update_tenant(tenant_id: UUID, wanted: TenantBasics, *, seen: datetime | None = None, actor: Actor) -> None:
    """Change a tenant's name and contact; what stays the same is no event.

    Shape: `seen` is `updated_at` as the editor saw it, None to overwrite whatever is there.
    Errors: ConflictError when the tenant was changed since.
    """
    with transaction():
        tenant = queries.get_tenant(tenant_id, lock=True)
        if seen is not None and tenant.updated_at != seen:
            raise ConflictError(CHANGED_MEANWHILE)
        before, after = asdict(TenantBasics.of(tenant)), asdict(wanted) | {"owner_email": wanted.owner_email.lower()}
        changes = {name: (before[name], value) for name, value in after.items() if value != before[name]}
        if not changes:
            return
        tenant.rename(wanted.name)
        tenant.owner_name, tenant.owner_email = wanted.owner_name, after["owner_email"]
        record_event(
            AuditAction.TENANT_UPDATED, target=tenant.target, actor=actor, changes=changes, tenant_id=tenant.id
        )
