"""Keys derived from the root secret, and small secrets sealed under such a key."""

import os
from typing import Final, Literal, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.errors import ConfigError, TenantryError

KeyPurpose = Literal["flask-session", "links", "context-wrap", "csrf", "demo", "canaries", "isolation-reports"]

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_MINIMUM_SECRET_CHARACTERS: Final = 32
_FORMAT: Final = b"\x01"
# The label keeps our keys apart from those of any other program fed the same secret; it never changes.
_INFO_LABEL: Final = b"tenantry/v1/"
_UNWRAP_MESSAGE: Final = "A sealed secret cannot be opened: it was altered, or another SECRET_KEY sealed it."


class UnwrapError(TenantryError):
    """Sealed bytes were altered, cut, sealed under another key or for another place."""


def derive_key(root_secret: str, purpose: KeyPurpose) -> bytes:
    """Derive the key of one purpose; no purpose's key tells anything of another's.

    Units: 32 bytes.
    Errors: ConfigError for a root secret under 32 characters; ValueError for an unknown purpose.
    Source: RFC 5869 with SHA-256, no salt (section 3.1: the secret is expected to be random).
    """
    if len(root_secret) < _MINIMUM_SECRET_CHARACTERS:
        raise ConfigError("SECRET_KEY must have at least 32 characters")
    if purpose not in get_args(KeyPurpose):
        raise ValueError(f"unknown key purpose {purpose!r}")
    return _hkdf(root_secret.encode(), salt=None, info=_INFO_LABEL + purpose.encode(), length_bytes=_KEY_BYTES)


def wrap(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Seal bytes so that they open only with the same key and the same `aad`, the name of their place.

    Shape: format byte 1, nonce of 12 bytes, ciphertext, tag of 16 bytes; the format byte is authenticated too.
    Units: the key has 32 bytes; at most 2^32 wraps a key keep random nonces safe.
    Errors: ValueError for a key of another length.
    Source: NIST SP 800-38D, AES-256-GCM with a random nonce (section 8.3).
    """
    nonce = os.urandom(_NONCE_BYTES)
    return _FORMAT + nonce + _cipher(key).encrypt(nonce, plaintext, _FORMAT + aad)


def unwrap(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Open what `wrap` sealed under the same key and `aad`.

    Errors: UnwrapError, always with the same sentence, when anything at all differs; ValueError for a key that
    has not 32 bytes.
    Source: NIST SP 800-38D.
    """
    cipher = _cipher(key)
    body_start = len(_FORMAT) + _NONCE_BYTES
    if not sealed.startswith(_FORMAT) or len(sealed) < body_start + _TAG_BYTES:
        raise UnwrapError(_UNWRAP_MESSAGE)
    try:
        return cipher.decrypt(sealed[len(_FORMAT) : body_start], sealed[body_start:], _FORMAT + aad)
    except InvalidTag:
        raise UnwrapError(_UNWRAP_MESSAGE) from None


def _hkdf(secret: bytes, *, salt: bytes | None, info: bytes, length_bytes: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length_bytes, salt=salt, info=info).derive(secret)


def _cipher(key: bytes) -> AESGCM:
    # AESGCM takes 16 and 24 bytes too; a short key would pass silently as AES-128.
    if len(key) != _KEY_BYTES:
        raise ValueError("a wrapping key has 32 bytes")
    return AESGCM(key)
