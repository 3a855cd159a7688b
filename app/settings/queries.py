"""Reading settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.audit.models import ControlAuditEvent, HomeAuditEvent
from app.core.actors import ActorKind
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.tenancy.scopes import current_tenant_id
from app.settings.definitions import DEFINITIONS
from app.settings.models import Setting
from app.tenants.models import Tenant
from app.tenants.queries import get_tenant


@dataclass(frozen=True)
class Workspace:
    """What the running tenant calls and shows itself."""

    tenant: Tenant
    values: dict[str, Any]

    @property
    def fields(self) -> dict[str, Any]:
        """Return every editable field by name."""
        own = {"name": self.tenant.name, "time_zone": self.tenant.time_zone, "locale": self.tenant.locale}
        return {**own, **self.values}


def get_workspace(*, lock: bool = False) -> Workspace:
    """Return the running tenant with its settings, defaults filled in."""
    stored = {setting.key: setting.value for setting in list_settings(lock=lock)}
    values = {definition.key: stored.get(definition.key, definition.default) for definition in DEFINITIONS}
    return Workspace(get_tenant(current_tenant_id()), values)


def list_settings(*, lock: bool = False) -> list[Setting]:
    """Return the stored settings, locked until the transaction ends if asked."""
    statement = select(Setting).order_by(Setting.key)
    return list(db.session.scalars(statement.with_for_update() if lock else statement))


def has_changed_settings() -> bool:
    """Tell whether somebody has ever saved the running tenant's settings."""
    actions = (AuditAction.SETTINGS_UPDATED, AuditAction.TENANT_UPDATED)
    for model in (HomeAuditEvent, ControlAuditEvent):
        statement = select(model.id).where(model.action.in_(actions), model.actor_kind == ActorKind.MEMBER).limit(1)
        if db.session.scalar(statement) is not None:
            return True
    return False
