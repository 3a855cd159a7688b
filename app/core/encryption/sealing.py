"""A sealed value: its bytes, and the place to which they are bound.

The layout is: format byte 2, key version (4 bytes, big-endian), nonce of 12 bytes, ciphertext, tag of 16 bytes. The
associated data is the format byte and the version, then owner (16 bytes, zeros for the platform), table and column,
each after its length in 2 bytes, and row id (16 bytes). No name of a schema, database or server is part of it, so a
home that moves takes its values along unchanged.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag

from app.core.encryption.keys import DataKey, SealedValueError

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_FORMAT: Final = 2
_HEADER: Final = struct.Struct(">BI")
_BODY_START: Final = _HEADER.size + NONCE_BYTES
OVERHEAD_BYTES: Final = _BODY_START + TAG_BYTES
_NOBODY: Final = bytes(16)


class Place(NamedTuple):
    """Where a value lies, as the application names it: table and column without schema, and the row."""

    table: str
    column: str
    row_id: UUID


def seal(key: DataKey, place: Place, plaintext: bytes) -> bytes:
    """Seal a value so that it opens only under this key, for this owner, at this place.

    Units: 33 bytes longer than the value; at most 2^32 values a key keep random nonces safe.
    Source: NIST SP 800-38D, AES-256-GCM with a random nonce (section 8.3).
    """
    header = _HEADER.pack(_FORMAT, key.version)
    nonce = os.urandom(NONCE_BYTES)
    bound = header + _owner_and_column(key.owner_id, place.table, place.column) + place.row_id.bytes
    return header + nonce + key.cipher.encrypt(nonce, plaintext, bound)


def open_sealed(find_key: Callable[[int], DataKey], place: Place, sealed: bytes) -> bytes:
    """Open a sealed value with the key of the version that it names.

    Errors: SealedValueError when it is no sealed value, was altered, or belongs elsewhere; what `find_key` raises.
    Source: NIST SP 800-38D.
    """
    version = version_of(sealed)
    key = find_key(version)
    bound = sealed[: _HEADER.size] + _owner_and_column(key.owner_id, place.table, place.column) + place.row_id.bytes
    try:
        return key.cipher.decrypt(sealed[_HEADER.size : _BODY_START], sealed[_BODY_START:], bound)
    except InvalidTag:
        raise SealedValueError(f"A value of {place.table}.{place.column} does not open here.") from None


def version_of(sealed: bytes) -> int:
    """Return the key version that a sealed value names.

    Errors: SealedValueError when it is none, such as clear text.
    """
    if len(sealed) < OVERHEAD_BYTES or sealed[0] != _FORMAT:
        raise SealedValueError("A value that should be sealed is not.")
    version: int = _HEADER.unpack_from(sealed)[1]
    return version


@lru_cache(maxsize=4_096)
def _owner_and_column(owner_id: UUID | None, table: str, column: str) -> bytes:
    owner = owner_id.bytes if owner_id else _NOBODY
    return owner + b"".join(struct.pack(">H", len(name)) + name for name in (table.encode(), column.encode()))
