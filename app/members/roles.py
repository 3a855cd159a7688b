"""The built-in roles of a tenant's members, and the permissions that each one gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.core.permissions import Permission

_WORKSPACE: Final = "workspace:"


class RoleKey(StrEnum):
    """The keys of the built-in roles."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class BuiltInRole:
    """A role that every tenant has from its first day."""

    key: RoleKey
    name: str
    permissions: frozenset[Permission]


WORKSPACE_PERMISSIONS: Final = tuple(item for item in Permission if item.startswith(_WORKSPACE))
_ALL: Final = frozenset(WORKSPACE_PERMISSIONS)
# An admin may do what an owner may, but neither make nor unmake owners: the services see to that.
BUILT_IN_ROLES: Final = (
    BuiltInRole(RoleKey.OWNER, "Owner", _ALL),
    BuiltInRole(RoleKey.ADMIN, "Admin", _ALL),
    BuiltInRole(RoleKey.MEMBER, "Member", frozenset({Permission.WORKSPACE_READ, Permission.WORKSPACE_MEMBER_READ})),
)
