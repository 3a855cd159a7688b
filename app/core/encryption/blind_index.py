"""Blind indexes: what makes an encrypted column searchable for exactly one value, and unique."""

from __future__ import annotations

import hmac
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.encryption.keys import KEY_BYTES, DataKey

VERSION_BYTES = 4
_LABEL = b"tenantry/blind-index/v1/"


def index_of(key: DataKey, table: str, column: str, value: str) -> bytes:
    """Return what stands for a normalised value in one column of one owner: equal for equal values, else unlike.

    Units: the key's version (4 bytes, big-endian), then 32 bytes.
    Source: HMAC-SHA256 (RFC 2104) under a key of the column, derived by HKDF (RFC 5869).
    """
    return key.version.to_bytes(VERSION_BYTES, "big") + hmac.digest(
        _column_key(key.material, table, column), value.encode(), "sha256"
    )


@lru_cache(maxsize=4_096)
def _column_key(material: bytes, table: str, column: str) -> bytes:
    info = _LABEL + table.encode() + b"/" + column.encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(material)
