"""What roles allow, as a table: a line a permission, a column a role, in the order of the vocabulary."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.core.permissions import Permission

_WORDS: Final[dict[Permission, str]] = {
    Permission.AUDIT_READ: "Read the platform’s audit trail",
    Permission.FLEET_MANAGE: "Migrate homes, pause and resume a run, check for drift",
    Permission.FLEET_READ: "See the version of every home and what differs",
    Permission.ISOLATION_CHECK: "Probe the isolation of servers now",
    Permission.ISOLATION_READ: "Read how isolation was tried on every server",
    Permission.JOB_READ: "See jobs, queues and workers",
    Permission.JOB_RETRY: "Run failed jobs again",
    Permission.KEY_READ: "See the keys of the platform and of tenants, and how they stand",
    Permission.KEY_ROTATE: "Rotate keys",
    Permission.OPERATION_RETRY: "Retry operations that failed",
    Permission.PLATFORM_READ: "Open the platform’s overview",
    Permission.SERVER_MANAGE: "Register, edit, move and remove database servers",
    Permission.SERVER_READ: "See database servers and the homes on them",
    Permission.STAFF_MANAGE: "Add staff users, change their role, deactivate them",
    Permission.STAFF_READ: "See staff users and their roles",
    Permission.TENANT_ARCHIVE: "Archive tenants and open them again",
    Permission.TENANT_CLONE: "Clone tenants, and say when clones are closed",
    Permission.TENANT_CREATE: "Onboard tenants",
    Permission.TENANT_EDIT: "Edit a tenant’s basics, tags and notes",
    Permission.TENANT_READ: "See tenants",
    Permission.TENANT_MOVE: "Move tenants’ homes to another tier or server",
    Permission.TENANT_SUSPEND: "Suspend and reactivate tenants",
    Permission.WORKSPACE_AUDIT_READ: "Read the audit trail",
    Permission.WORKSPACE_ISOLATION_READ: "See where the data lies and how its isolation was tried",
    Permission.WORKSPACE_KEY_READ: "See the workspace’s encryption keys and how they stand",
    Permission.WORKSPACE_MEMBER_MANAGE: "Invite members, change their role, deactivate them",
    Permission.WORKSPACE_MEMBER_READ: "See members and roles",
    Permission.WORKSPACE_READ: "Open the workspace",
    Permission.WORKSPACE_SETTINGS_EDIT: "Change the workspace’s settings",
}


@dataclass(frozen=True, slots=True)
class RoleColumn:
    """One role: what it is called and what it allows."""

    name: str
    permissions: Collection[str]


@dataclass(frozen=True, slots=True)
class GrantLine:
    """One permission: in words, in code, and for each role whether it gives it."""

    words: str
    code: str
    given: Sequence[bool]


def list_grants(permissions: Iterable[Permission], roles: Sequence[RoleColumn]) -> list[GrantLine]:
    """Return a line for each permission that any role on this surface can give."""
    return [
        GrantLine(describe_permission(item), item.value, [item in role.permissions for role in roles])
        for item in permissions
    ]


def describe_permission(permission: Permission) -> str:
    """Return a permission in words."""
    return _WORDS[permission]
