"""A sealed value: its bytes, and the place to which they are bound.

The layout is: format byte 2, key version (4 bytes, big-endian), nonce of 12 bytes, ciphertext, tag of 16 bytes. The
associated data is the format byte and the version, then owner (16 bytes, zeros for the platform), table and column,
each after its length in 2 bytes, and row id (16 bytes). No name of a schema, database or server is part of it, so a
home that moves takes its values along unchanged.
"""

from __future__ import annotations

import os
import struct
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag

from app.core.encryption.keys import Keyring, SealedValueError

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_FORMAT: Final = 2
_HEADER: Final = struct.Struct(">BI")
_HEADER_BYTES: Final = _HEADER.size
_BODY_START: Final = _HEADER_BYTES + NONCE_BYTES
OVERHEAD_BYTES: Final = _BODY_START + TAG_BYTES
_NOBODY: Final = bytes(16)


class SealedColumn:
    """One column of one owner, named as the application names it, without a schema."""

    def __init__(self, ring: Keyring, table: str, column: str) -> None:
        self.ring, self.table, self.column = ring, table, column
        # By version, what stands before a sealed value, and what is bound to it before the row's id; and by the former.
        self._known: dict[int, tuple[bytes, bytes]] = {}
        self._named: dict[bytes, tuple[int, bytes]] = {}

    def seal(self, row_id: UUID, plaintext: bytes) -> bytes:
        """Seal a value so that it opens only under this key, for this owner, in this column of this row.

        Units: 33 bytes longer than the value; at most 2^32 values a key keep random nonces safe.
        Errors: what the ring raises without a key that seals.
        Source: NIST SP 800-38D, AES-256-GCM with a random nonce (section 8.3).
        """
        key = self.ring.sealing_key()
        header, bound = self._known.get(key.version) or self._name(key.version)
        nonce = os.urandom(NONCE_BYTES)
        return header + nonce + key.cipher.encrypt(nonce, plaintext, bound + row_id.int.to_bytes(16))

    def open(self, row_id: UUID, sealed: bytes) -> bytes:
        """Open a sealed value of a row with the key of the version that it names.

        Errors: SealedValueError when it is no sealed value, was altered, or belongs elsewhere; what the ring raises
        for a version that does not open.
        Source: NIST SP 800-38D.
        """
        known = self._named.get(sealed[:_HEADER_BYTES])
        if known is None or len(sealed) < OVERHEAD_BYTES:
            known = self._read_header(sealed)
        version, bound = known
        key = self.ring.opening_key(version)
        try:
            return key.cipher.decrypt(
                sealed[_HEADER_BYTES:_BODY_START], sealed[_BODY_START:], bound + row_id.int.to_bytes(16)
            )
        except InvalidTag:
            raise SealedValueError(f"A value of {self.table}.{self.column} does not open here.") from None

    def _read_header(self, sealed: bytes) -> tuple[int, bytes]:
        if len(sealed) < OVERHEAD_BYTES or sealed[0] != _FORMAT:
            raise SealedValueError(f"A value of {self.table}.{self.column} should be sealed and is not.")
        version: int = _HEADER.unpack_from(sealed)[1]
        # Only of a version that the ring knows is anything kept, so forged ones cannot fill the memory.
        return version, self._name(self.ring.opening_key(version).version)[1]

    def _name(self, version: int) -> tuple[bytes, bytes]:
        header, owner_id = _HEADER.pack(_FORMAT, version), self.ring.owner_id
        names = (self.table.encode(), self.column.encode())
        owner = owner_id.bytes if owner_id else _NOBODY
        bound = header + owner + b"".join(struct.pack(">H", len(name)) + name for name in names)
        self._known[version] = header, bound
        self._named[header] = version, bound
        return header, bound
