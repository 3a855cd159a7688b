"""Writing settings."""

from __future__ import annotations

from typing import Any

from app.audit.services import Target, record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.settings import queries
from app.settings.definitions import DEFINITIONS
from app.settings.models import Setting

TARGET = Target("settings", None, "Settings")
_CONTROL_FIELDS = ("name", "time_zone", "locale")


def create_default_settings(*, actor: Actor) -> None:
    """Write the settings that the home lacks; existing ones stay as they are."""
    with transaction():
        present = {setting.key for setting in queries.list_settings()}
        for definition in DEFINITIONS:
            if definition.key not in present:
                db.session.add(Setting(key=definition.key, value=definition.default))
        record_event(AuditAction.SETTINGS_CREATED, target=TARGET, actor=actor)


def update_workspace(changes: dict[str, Any], *, actor: Actor) -> None:
    """Change how the tenant calls and shows itself; what stays the same leaves no trace.

    Control fields and the home's settings may lie on two servers, so each half is a transaction of its own with its
    event beside it; sent again after an outage between them, the form changes what is left.
    """
    control = {key: value for key, value in changes.items() if key in _CONTROL_FIELDS}
    _update_tenant(control, actor)
    _update_settings({key: value for key, value in changes.items() if key not in control}, actor)


def _update_tenant(values: dict[str, Any], actor: Actor) -> None:
    with transaction():
        workspace = queries.get_workspace()
        changed = _differences(workspace, values)
        if changed:
            _change_tenant(workspace, changed)
            target = workspace.tenant.target
            record_event(AuditAction.TENANT_UPDATED, target=target, actor=actor, changes=changed, in_control=True)


def _update_settings(values: dict[str, Any], actor: Actor) -> None:
    with transaction():
        changed = _differences(queries.get_workspace(lock=True), values)
        if changed:
            _change_settings(changed)
            record_event(AuditAction.SETTINGS_UPDATED, target=TARGET, actor=actor, changes=changed)


def _differences(workspace: queries.Workspace, values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    before = workspace.fields
    return {key: (before[key], value) for key, value in values.items() if before[key] != value}


def _change_tenant(workspace: queries.Workspace, changes: dict[str, tuple[Any, Any]]) -> None:
    for key, (_old, new) in changes.items():
        if key == "name":
            workspace.tenant.rename(new)
        else:
            setattr(workspace.tenant, key, new)


def _change_settings(changes: dict[str, tuple[Any, Any]]) -> None:
    stored = {setting.key: setting for setting in queries.list_settings()}
    for key, (_old, new) in changes.items():
        if key in stored:
            stored[key].value = new
        else:
            db.session.add(Setting(key=key, value=new))
