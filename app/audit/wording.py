"""How events are told: an action as words, a change as old and new, an event as a line of an export."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from app.audit.queries import Event
from app.core.actors import ActorKind

CSV_HEADER = (
    "at", "action", "actor_kind", "actor", "address", "target_kind", "target", "target_id", "tenant_id", "changes",
    "reason", "request_id", "id",
)  # fmt: skip


@dataclass(frozen=True)
class ChangeLine:
    """One field that an event changed, ready to be read; None where there was or is nothing."""

    name: str
    old: str | None
    new: str | None


def describe_action(action: str) -> str:
    """Return an action as words: `member.password_changed` reads "Member password changed"."""
    return action.replace(".", " ").replace("_", " ").capitalize()


def describe_changes(changes: dict[str, Any]) -> list[ChangeLine]:
    """Return what an event changed, field by field."""
    return [ChangeLine(name, _describe(old), _describe(new)) for name, (old, new) in changes.items()]


def find_shown_address(event: Event, *, to_tenant: bool) -> str | None:
    """Return the address that an actor came from; where staff sit is no tenant's business."""
    return None if to_tenant and event.actor_kind == ActorKind.STAFF else event.address


def export_line(event: Event, *, to_tenant: bool) -> tuple[object, ...]:
    """Return an event as a line under CSV_HEADER."""
    return (
        event.at, event.action, event.actor_kind, event.actor_label, find_shown_address(event, to_tenant=to_tenant),
        event.target_kind, event.target_label, str(event.target_id or ""), str(event.tenant_id or ""),
        json.dumps(event.changes, ensure_ascii=False) if event.changes else "", event.reason, event.request_id,
        str(event.id),
    )  # fmt: skip


def _describe(value: Any) -> str | None:
    if value in (None, "", [], {}):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
