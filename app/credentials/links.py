"""Tokens of the links in mails: derived from a row when needed, stored nowhere."""

import hashlib
import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

_FORMAT: Final = 1
_ROW = struct.Struct(">16sQ")
_TOKEN = struct.Struct(">B16sQ32s")
# 57 bytes are a multiple of three: base64 needs no padding and leaves no spare bits, so a token has one spelling.
_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{76}")
_DOMAIN: Final = b"tenantry/link/v2"
# Rows of the control plane have ids of their own; no tenant has this one.
_NO_HOME: Final = bytes(16)
_MINIMUM_KEY_BYTES: Final = 32
_HIGHEST_SERIAL: Final = 2**63 - 1


class LinkPurpose(StrEnum):
    """What a link lets its holder do; a token of one purpose is worthless for another."""

    MEMBER_INVITATION = "member-invitation"
    MEMBER_RESET = "member-reset"
    SIGN_UP_CONFIRMATION = "sign-up-confirmation"
    STAFF_RESET = "staff-reset"
    STAFF_SIGN_IN = "staff-sign-in"


@dataclass(frozen=True, slots=True)
class LinkToken:
    """What a token claims; nothing of it is true before `verify_token` says so."""

    row_id: UUID
    serial: int
    # Kept out of repr, so that no log line can hold a usable token.
    mac: bytes = field(repr=False)


def make_token(
    link_key: bytes, purpose: LinkPurpose, row_id: UUID, serial: int, *, tenant_id: UUID | None = None
) -> str:
    """Derive the token of a row's link; the same row and serial always give the same text.

    A row of a home is named by its tenant too: a clone has rows of the same ids, and its links must open nothing at
    the source.

    Shape: base64url of format byte 1, row id, serial in 8 bytes, MAC of 32 bytes; 76 characters, safe in a path.
    Errors: ValueError for a key under 32 bytes or a serial that is no bigint from 0.
    Source: architecture.md, Request; RFC 2104 with SHA-256; RFC 4648, section 5; decision record 0009.
    """
    mac = _compute_mac(link_key, purpose, row_id, serial, tenant_id)
    return urlsafe_b64encode(_TOKEN.pack(_FORMAT, row_id.bytes, serial, mac)).decode("ascii")


def read_token(text: str) -> LinkToken | None:
    """Take a token apart, or return None when the text cannot be one; the MAC is not checked yet."""
    if not _TEXT.fullmatch(text):
        return None
    format_number, row_bytes, serial, mac = _TOKEN.unpack(urlsafe_b64decode(text))
    if format_number != _FORMAT or serial > _HIGHEST_SERIAL:
        return None
    return LinkToken(UUID(bytes=row_bytes), serial, mac)


def verify_token(link_key: bytes, purpose: LinkPurpose, token: LinkToken, *, tenant_id: UUID | None = None) -> bool:
    """Tell whether we derived this token for this purpose and tenant, in a time that tells nothing of the right MAC.

    The caller still compares the token's serial with the row's, and the row's expiry and moment of use with now.

    Errors: ValueError for a key under 32 bytes.
    """
    return hmac.compare_digest(_compute_mac(link_key, purpose, token.row_id, token.serial, tenant_id), token.mac)


def _compute_mac(link_key: bytes, purpose: LinkPurpose, row_id: UUID, serial: int, tenant_id: UUID | None) -> bytes:
    if len(link_key) < _MINIMUM_KEY_BYTES:
        raise ValueError("a link key has at least 32 bytes")
    if not 0 <= serial <= _HIGHEST_SERIAL:
        raise ValueError("a link serial is a bigint from 0")
    # No purpose holds a NUL and the rest has a fixed width, so no two inputs give the same message.
    home = tenant_id.bytes if tenant_id is not None else _NO_HOME
    message = b"\0".join((_DOMAIN, purpose.encode("ascii"), home + _ROW.pack(row_id.bytes, serial)))
    return hmac.new(link_key, message, hashlib.sha256).digest()
