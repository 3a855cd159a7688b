"""Kinds of job of the tests' own; what they did is read from Redis, what they wrote from the audit tables."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.audit.models import ControlAuditEvent, HomeAuditEvent
from app.audit.services import Target, record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.jobs import Queue, enqueue, job
from app.core.redis import get_redis
from app.core.tenancy.scopes import TenantRoute, find_scope, platform_scope, tenant_scope

RAN = "toy:ran"


class Toy(StrEnum):
    """The toy kinds."""

    BLOCK = "toy.block"
    FAIL = "toy.fail"
    NOTE = "toy.note"
    NOTE_SUSPENDED = "toy.note_suspended"
    OPERATE = "toy.operate"


before_commit: list[Callable[[], None]] = []
failures: list[str] = []


def note(payload: dict[str, Any]) -> None:
    """Say that it ran and for whom, and write one audit event."""
    scope = find_scope()
    get_redis().rpush(RAN, f"{scope.tenant_id or 'platform'} {payload.get('name', '')}".strip())
    with transaction():
        write_event(payload.get("name", ""))
        for hook in before_commit:
            hook()


def block(payload: dict[str, Any]) -> None:
    """Say which process it runs in; the first time, stay there until somebody kills it."""
    get_redis().rpush(RAN, str(os.getpid()))
    with transaction():
        write_event("blocked")
        if get_redis().llen(RAN) == 1:
            time.sleep(payload.get("seconds", 120))


def fail(payload: dict[str, Any]) -> None:
    """Write an event and break before it commits."""
    with transaction():
        write_event("failed")
        for hook in before_commit:
            hook()
        raise RuntimeError(payload.get("text", "toy broke"))


def on_failure(payload: dict[str, Any], error: str) -> None:
    """Note that no attempt is left, and break too if the payload asks for it."""
    failures.append(error)
    write_event("gave up")
    if payload.get("breaks_twice"):
        raise RuntimeError("toy broke twice")


job(Toy.BLOCK)(block)
job(Toy.NOTE)(note)
job(Toy.NOTE_SUSPENDED, runs_suspended=True)(note)
job(Toy.OPERATE, queue=Queue.OPERATIONS)(note)
job(Toy.FAIL, on_failure=on_failure, max_attempts=3)(fail)


def write_event(label: str) -> None:
    """Write an audit event where the scope's changes are written."""
    record_event(AuditAction.SETTINGS_UPDATED, target=Target("toy", None, label), actor=Actor.system("toy"))


def queue(name: Toy, route: TenantRoute | None = None, **options: Any) -> UUID:
    """Enqueue a toy in a transaction of its own, for a tenant or the platform."""
    scope = tenant_scope(route, reason="test") if route else platform_scope("test")
    with scope, transaction():
        return enqueue(name, options.pop("payload", {"name": options.pop("text", "")}), **options)


def ran() -> list[str]:
    """Return what has run, in order."""
    return [line.decode() for line in get_redis().lrange(RAN, 0, -1)]


def events(route: TenantRoute | None = None) -> list[str]:
    """Return the labels of the events that toys have committed."""
    model = HomeAuditEvent if route else ControlAuditEvent
    with tenant_scope(route, reason="test") if route else platform_scope("test"):
        rows = db.session.query(model).filter(model.target_kind == "toy").order_by(model.id)
        return [row.target_label for row in rows]
