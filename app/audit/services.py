"""Recording audit events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import structlog

from app.audit.models import ControlAuditEvent, HomeAuditEvent
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import add_witness
from app.core.ids import new_id
from app.core.search import normalise_search
from app.core.tenancy.scopes import current_scope

Service = TypeVar("Service", bound=Callable[..., Any])
Change = tuple[Any, Any]


@dataclass(frozen=True)
class Target:
    """What an event happened to."""

    kind: str
    id: UUID | None
    label: str


def record_event(
    action: AuditAction,
    *,
    target: Target,
    actor: Actor,
    changes: Mapping[str, Change] | None = None,
    reason: str | None = None,
    tenant_id: UUID | None = None,
    in_control: bool = False,
) -> None:
    """Write an event into the open transaction, where the change is written: it commits or vanishes with it.

    Shape: `changes` maps a field to (old value, new value), both JSON; never a secret.
    `tenant_id` names the tenant of a platform change; `in_control` marks a tenant's change to its control rows.
    """
    scope = current_scope()
    model = HomeAuditEvent if scope.is_tenant and not in_control else ControlAuditEvent
    event = model(
        id=new_id(),
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        actor_label=actor.label,
        actor_search=normalise_search(actor.label),
        address=actor.address,
        action=action.value,
        target_kind=target.kind,
        target_id=target.id,
        target_label=target.label,
        target_search=normalise_search(target.label),
        changes={name: list(change) for name, change in (changes or {}).items()},
        reason=reason,
        request_id=structlog.contextvars.get_contextvars().get("request_id"),
    )
    event.tenant_id = scope.tenant_id or tenant_id
    db.session.add(event)
    add_witness(model.id, event.id)


def unaudited(reason: str) -> Callable[[Service], Service]:
    """Declare that a service records no event, and why; the docs list it."""

    def declare(service: Service) -> Service:
        service.unaudited_because = reason  # type: ignore[attr-defined]  # Any function can carry one.
        return service

    return declare
