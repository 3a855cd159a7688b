"""Canaries: which two there are on a server, and the values that are planted in their homes."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from app.core.tenancy.scopes import DatabaseAddress, Placement, TenantRoute
from app.tenants.slugs import CANARY_PREFIX

SIDES = ("a", "b")
_SERVER_DIGITS = 10
_TOKEN_DIGITS = 32
_MARK = "planted"


def canary_slug(server: str, side: str) -> str:
    """Return the slug of a server's canary; hosts are public, so it does not tell the server's name."""
    digest = hashlib.sha256(server.encode()).hexdigest()[:_SERVER_DIGITS]
    return f"{CANARY_PREFIX}{digest}-{side}"


def plant(key: bytes, tenant_id: UUID) -> str:
    """Return the value that is planted in a canary's home; nobody who lacks the key can know it.

    It is derived and so stored nowhere but in the home: wherever else it is found, it has leaked.

    Units: 128 bits in hexadecimal.
    Source: RFC 2104 with SHA-256.
    """
    digest = hmac.new(key, tenant_id.bytes, hashlib.sha256).hexdigest()
    return f"{_MARK}{digest[:_TOKEN_DIGITS]}"


@dataclass(frozen=True)
class Canary:
    """One canary: the way to its home and what is planted there."""

    route: TenantRoute
    planted: str

    @property
    def tenant_id(self) -> UUID:
        return self.route.tenant_id

    @property
    def placement(self) -> Placement:
        return self.route.get_placement()

    @property
    def email(self) -> str:
        """Return the address of its only member, which nobody can write to."""
        return f"{self.planted}@canary.invalid"


@dataclass(frozen=True)
class Pair:
    """The two canaries of a server: A attacks, B is what it must not reach."""

    server: str
    a: Canary
    b: Canary

    @property
    def address(self) -> DatabaseAddress:
        return self.a.placement.address

    @property
    def schema(self) -> str:
        return self.a.placement.schema
