"""What staff can do to a tenant's status: each action's words, and the statuses in which it is offered."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.permissions import Permission
from app.tenants.status import EFFECTS, REACTIVATED_FROM, TRANSITIONS, Effect, TenantStatus, label

S = TenantStatus


@dataclass(frozen=True)
class StatusAction:
    """One action; `noun` is the last part of its address and of its endpoints."""

    noun: str
    verb: str
    done: str
    leads_to: TenantStatus
    offered_in: frozenset[TenantStatus]
    permission: Permission
    icon: str

    @property
    def effect(self) -> Effect:
        """Return what the portal, the API and the jobs do afterwards."""
        return EFFECTS[self.leads_to]

    def applies_to(self, status: str) -> bool:
        """Tell whether a tenant of this status can be acted on."""
        return status in self.offered_in

    def refusal(self, name: str, status: str) -> str:
        """Say why a tenant of this status cannot be acted on."""
        if status == self.leads_to:
            return f"{name} is {label(status).lower()} already."
        return f"{name} is {label(status).lower()} now; it cannot be {self.done}."

    def outcome(self, status: str) -> str:
        """Say what the action does to a tenant of this status."""
        if self.applies_to(status):
            return f"Will be {self.done}"
        return f"Stays as it is: {label(status).lower()}"


def _leading_to(status: TenantStatus) -> frozenset[TenantStatus]:
    return frozenset(start for start, ends in TRANSITIONS.items() if status in ends)


SUSPENSION = StatusAction(
    "suspension", "Suspend", "suspended", S.SUSPENDED, _leading_to(S.SUSPENDED), Permission.TENANT_SUSPEND, "ban"
)
REACTIVATION = StatusAction(
    "reactivation",
    "Reactivate",
    "reactivated",
    S.ACTIVE,
    REACTIVATED_FROM,
    Permission.TENANT_SUSPEND,
    "player-play",
)
ARCHIVAL = StatusAction(
    "archival", "Archive", "archived", S.ARCHIVED, _leading_to(S.ARCHIVED), Permission.TENANT_ARCHIVE, "archive"
)
UNARCHIVAL = StatusAction(
    "unarchival",
    "Unarchive",
    "unarchived",
    S.ACTIVE,
    frozenset({S.ARCHIVED}),
    Permission.TENANT_ARCHIVE,
    "arrow-back-up",
)
ACTIONS = (REACTIVATION, SUSPENSION, UNARCHIVAL, ARCHIVAL)


def list_actions(status: str) -> list[StatusAction]:
    """Return what can be done to a tenant of this status."""
    return [action for action in ACTIONS if action.applies_to(status)]
