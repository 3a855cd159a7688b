"""The status of a tenant: the words, the allowed transitions, and what each status lets happen."""

from __future__ import annotations

from dataclasses import dataclass
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
    S.ARCHIVED: frozenset({S.ACTIVE, S.PAST_DUE, S.DELETING}),
    S.DELETING: frozenset({S.DELETED}),
    S.DELETED: frozenset(),
}
OPEN = frozenset({S.ACTIVE, S.PAST_DUE})
REACTIVATED_FROM = frozenset({S.SUSPENDED, S.PAST_DUE})


@dataclass(frozen=True)
class Effect:
    """What a status means for the tenant's portal, its API and its jobs, in sentences for people."""

    portal: str
    api: str
    jobs: str


_WORKING = Effect("Open.", "Answers.", "Run.")
# The gate and the job dispatcher make these true; the forms that change a status and the docs quote them.
EFFECTS: dict[TenantStatus, Effect] = {
    S.REQUESTED: Effect("Asks to confirm the sign-up first.", "Refuses with 503.", "Wait until it is confirmed."),
    S.PROVISIONING: Effect("Says that it is being prepared.", "Refuses with 503.", "Run: they prepare it."),
    S.ACTIVE: _WORKING,
    S.PAST_DUE: _WORKING,
    S.SUSPENDED: Effect(
        "Every page says so and who can help, and why to those who sign in; nothing else can be done there.",
        "Refuses with 403.",
        "Wait until the tenant is reactivated.",
    ),
    S.ARCHIVED: Effect("Closed: nobody signs in.", "Refuses with 403.", "Wait until the tenant is unarchived."),
    S.FAILED: Effect("Says that preparing it did not succeed yet.", "Refuses with 503.", "Wait until it succeeds."),
    S.DELETING: Effect("Closed for good.", "Refuses with 410.", "Never run again."),
    S.DELETED: Effect("Not found.", "Not found.", "Never run again."),
}


def may_become(status: str, wanted: TenantStatus) -> bool:
    """Tell whether a tenant of this status may take another."""
    return wanted in TRANSITIONS[TenantStatus(status)]


def label(status: str) -> str:
    """Return a status as people read it."""
    return status.replace("_", " ").capitalize()
