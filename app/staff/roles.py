"""The roles of staff users, and the permissions that each one gives."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.core.permissions import Permission

_WORKSPACE: Final = "workspace:"


class StaffRole(StrEnum):
    """What a staff user is for."""

    ADMIN = "admin"
    SUPPORT = "support"

    @property
    def label(self) -> str:
        """Return the words that people read."""
        return _LABELS[self]

    @property
    def permissions(self) -> frozenset[Permission]:
        """Return what the role allows on the platform; no staff role allows anything inside a tenant."""
        return _PERMISSIONS[self]


PLATFORM_PERMISSIONS: Final = tuple(item for item in Permission if not item.startswith(_WORKSPACE))
_LABELS: Final = {StaffRole.ADMIN: "Platform admin", StaffRole.SUPPORT: "Support"}
_PERMISSIONS: Final = {
    StaffRole.ADMIN: frozenset(PLATFORM_PERMISSIONS),
    StaffRole.SUPPORT: frozenset(
        {
            Permission.AUDIT_READ,
            Permission.FLEET_READ,
            Permission.ISOLATION_READ,
            Permission.JOB_READ,
            Permission.KEY_READ,
            Permission.PLATFORM_READ,
            Permission.SERVER_READ,
            Permission.STAFF_READ,
            Permission.TENANT_READ,
        }
    ),
}
