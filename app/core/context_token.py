"""The signed tenant context: made here by the application, verified by PostgreSQL."""

import hashlib
import hmac
from typing import Final
from uuid import UUID

CONTEXT_LIFETIME_SECONDS: Final = 300

_BLOCK_BYTES: Final = 64
_MINIMUM_KEY_BYTES: Final = 32
_INNER_PAD: Final = 0x36
_OUTER_PAD: Final = 0x5C


def sign_context(key: bytes, tenant_id: UUID, epoch: int, expires: int) -> str:
    """Render the context that lets one transaction act for one tenant.

    Shape: `<tenant id>.<epoch>.<expires>.<MAC>`; canonical lower-case UUID, two plain decimals, 64 lower-case hex
    digits; the MAC covers the text before the last dot, which no part can contain.
    Units: `expires` in whole Unix seconds; the caller adds CONTEXT_LIFETIME_SECONDS to the present.
    Errors: ValueError for a key under 32 bytes, a negative epoch or a negative time.
    Source: RFC 2104 with SHA-256; architecture.md, wall 4.
    """
    if len(key) < _MINIMUM_KEY_BYTES:
        raise ValueError("a context key has at least 32 bytes")
    if epoch < 0 or expires < 0:
        raise ValueError("epoch and expires are not negative")
    message = f"{tenant_id}.{epoch:d}.{expires:d}"
    mac = hmac.new(key, message.encode("ascii"), hashlib.sha256).hexdigest()
    return f"{message}.{mac}"


def hmac_blocks(key: bytes) -> tuple[bytes, bytes]:
    """Return the inner and outer key blocks from which sha256 alone computes the HMAC.

    The embedded PostgreSQL has sha256() and no pgcrypto: MAC = sha256(outer || sha256(inner || message)). Whoever
    reads the blocks can sign, so they are kept like the key itself.

    Shape: two blocks of 64 bytes, key XOR ipad and key XOR opad; a key over 64 bytes is hashed first.
    Source: RFC 2104, section 2.
    """
    shortened = hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key
    block = shortened.ljust(_BLOCK_BYTES, b"\0")
    return bytes(byte ^ _INNER_PAD for byte in block), bytes(byte ^ _OUTER_PAD for byte in block)
