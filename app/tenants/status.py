"""The status of a tenant: the words, the allowed transitions, and what each status lets happen."""

from __future__ import annotations

from enum import StrEnum


class TenantStatus(StrEnum):
    """Where a tenant stands in its life."""

    REQUESTED = "requested"
    PROVISIONING = "provisioning"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    ARCHIVED = "archived"
    FAILED = "failed"
    DELETING = "deleting"
    DELETED = "deleted"


class TenantActivity(StrEnum):
    """What is being done to a tenant meanwhile."""

    NONE = "none"
    MOVING = "moving"
    RESTORING = "restoring"
    MIGRATING = "migrating"


S = TenantStatus
# The one table of transitions: the services, the database's trigger and the docs are held to it by a test.
TRANSITIONS: dict[TenantStatus, frozenset[TenantStatus]] = {
    S.REQUESTED: frozenset({S.PROVISIONING, S.DELETED}),
    S.PROVISIONING: frozenset({S.ACTIVE, S.FAILED}),
    S.FAILED: frozenset({S.PROVISIONING, S.DELETING}),
    S.ACTIVE: frozenset({S.PAST_DUE, S.SUSPENDED, S.ARCHIVED}),
    S.PAST_DUE: frozenset({S.ACTIVE, S.SUSPENDED, S.ARCHIVED}),
    S.SUSPENDED: frozenset({S.ACTIVE, S.ARCHIVED}),
    S.ARCHIVED: frozenset({S.ACTIVE, S.DELETING}),
    S.DELETING: frozenset({S.DELETED}),
    S.DELETED: frozenset(),
}
OPEN = frozenset({S.ACTIVE, S.PAST_DUE})


def may_become(status: str, wanted: TenantStatus) -> bool:
    """Tell whether a tenant of this status may take another."""
    return wanted in TRANSITIONS[TenantStatus(status)]


def label(status: str) -> str:
    """Return a status as people read it."""
    return status.replace("_", " ").capitalize()
