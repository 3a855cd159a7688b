"""Signing reports and verifying them: Ed25519 over the bytes of the document as they are kept."""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from app.core.config import Settings, root_secret
from app.core.errors import InputError
from app.core.secrets import derive_key

KEY_ID_DIGITS = 16


def load_signing_key(settings: Settings) -> Ed25519PrivateKey:
    """Return the key that signs reports; outside production one derived from the root secret will do.

    Units: a seed of 32 bytes.
    Source: RFC 8032, section 5.1.5.
    """
    given = settings.isolation_signing_key
    if given is None:
        return Ed25519PrivateKey.from_private_bytes(derive_key(root_secret(settings), "isolation-reports"))
    return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(given.get_secret_value() + "="))


def render_public_key(key: Ed25519PublicKey) -> bytes:
    """Return a public key as PEM, as openssl reads it.

    Source: RFC 8410.
    """
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_public_key(pem: bytes) -> Ed25519PublicKey:
    """Read a public key from PEM.

    Errors: InputError for anything else.
    """
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise InputError("This is no public key in PEM.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError("This is a public key of another kind than Ed25519.")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """Return the name of a key: the beginning of its SHA-256."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:KEY_ID_DIGITS]


def is_valid(key: Ed25519PublicKey, document: bytes, signature: bytes) -> bool:
    """Tell whether a signature is that of a document under a key.

    Source: RFC 8032, section 5.1.7.
    """
    try:
        key.verify(signature, document)
    except InvalidSignature:
        return False
    return True
