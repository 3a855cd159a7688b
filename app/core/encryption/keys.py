"""Data keys, what each state allows, and the source that hands them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask, current_app

from app.core.errors import TenantryError

KEY_BYTES = 32


class KeyPurpose(StrEnum):
    """What a data key is for; no key is used for two things."""

    AUDIT = "audit"
    BACKUPS = "backups"
    BLIND_INDEX = "blind-index"
    FIELDS = "fields"
    FILES = "files"


class KeyState(StrEnum):
    """What a version of a key may still do.

    Source: NIST SP 800-57 part 1, section 7.
    """

    ACTIVE = "active"
    COMPROMISED = "compromised"
    DECRYPT_ONLY = "decrypt-only"
    DESTROYED = "destroyed"
    PRE_ACTIVE = "pre-active"
    RETIRED = "retired"


# A version is known everywhere before anything is sealed under it, so one that awaits its turn opens already: another
# process may have seen it promoted a moment earlier. A compromised one opens until its values are sealed anew.
OPENING_STATES = frozenset({KeyState.PRE_ACTIVE, KeyState.ACTIVE, KeyState.DECRYPT_ONLY, KeyState.COMPROMISED})


class SealedValueError(TenantryError):
    """A sealed value does not open: it was altered, belongs to another place, or is none."""


class KeyMissingError(TenantryError):
    """There is no key of that version, or its state does not allow what was asked."""


@dataclass(frozen=True)
class DataKey:
    """One version of an owner's key for a purpose, unwrapped; the owner is a tenant, or None for the platform."""

    owner_id: UUID | None
    purpose: KeyPurpose
    version: int
    state: KeyState
    material: bytes = field(repr=False)
    cipher: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # AESGCM takes 16 and 24 bytes too; a short key would pass silently as AES-128.
        if len(self.material) != KEY_BYTES:
            raise ValueError("a data key has 32 bytes")
        object.__setattr__(self, "cipher", AESGCM(self.material))


class Keyring(Protocol):
    """Every version of one owner's key for one purpose; it stays good while versions come and go."""

    owner_id: UUID | None

    def sealing_key(self) -> DataKey:
        """Return the active version and count one use of it.

        Errors: KeyMissingError without an active version, or when its uses are spent; UnavailableError while keys
        cannot be read or unwrapped.
        """

    def opening_key(self, version: int) -> DataKey:
        """Return one version with which values are opened.

        Errors: KeyMissingError when it does not exist or its state forbids it; UnavailableError as above.
        """

    def list_keys(self) -> list[DataKey]:
        """Return every version that opens, the active one first."""


class KeySource(Protocol):
    """Where keys come from, unwrapped."""

    def keyring(self, owner_id: UUID | None, purpose: KeyPurpose) -> Keyring:
        """Return an owner's ring for a purpose; an owner that has no key yet gets its first one."""

    def forget(self) -> None:
        """Drop every unwrapped key."""


def plug_key_source(app: Flask, source: KeySource) -> None:
    """Make a source the application's."""
    app.extensions["tenantry_keys"] = source


def key_source() -> KeySource:
    """Return the running application's source of keys."""
    source: KeySource = current_app.extensions["tenantry_keys"]
    return source
