"""Root keys: the seam behind which a provider wraps key-encryption keys, and the provider that is a local file."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog

from app.core.config import Settings
from app.core.errors import UnavailableError
from app.core.secrets import unwrap, wrap

REFERENCE_DIGITS = 16
_LABEL = b"tenantry/v1/root-key/"
_OTHERS = 0o077


log = structlog.get_logger()


class RootKeyError(UnavailableError):
    """No key can be wrapped or unwrapped now; the note says why, to those who operate the platform."""

    def __init__(self, reason: str) -> None:
        super().__init__("Encrypted data cannot be opened just now. Nothing was changed; please try again later.")
        self.add_note(reason)
        log.error("root_key_unusable", reason=reason)


class WrappedKey(NamedTuple):
    """A key under a root key, and the reference by which the provider knows that root key again."""

    root_key: str
    wrapped: bytes


class RootKeyProvider(Protocol):
    """Where root keys are. `bound` names what a wrapped key belongs to; it opens for the same only."""

    name: str

    def current(self) -> str:
        """Return the reference of the root key that wraps from now on."""

    def wrap(self, key: bytes, bound: bytes) -> WrappedKey:
        """Wrap a key under the current root key.

        Errors: RootKeyError while the provider does not answer, or refuses.
        """

    def unwrap(self, wrapped: WrappedKey, bound: bytes) -> bytes:
        """Open a wrapped key.

        Errors: as for wrap, and when it is another root key's; UnwrapError when it was altered.
        """


class FileRootKeys:
    """Root keys in a local file: one a line, 32 bytes in base64url each; the last one wraps, all open.

    Units: a reference is the first 16 hexadecimal digits of a SHA-256 and tells nothing of its key.
    """

    name = "file"

    def __init__(self, path: Path, *, is_production: bool) -> None:
        self.path, self.is_production = path, is_production

    def current(self) -> str:
        """Return the reference of the file's last key.

        Errors: RootKeyError when the file cannot be used.
        """
        return list(self._read())[-1]

    def wrap(self, key: bytes, bound: bytes) -> WrappedKey:
        """Wrap a key under the file's last one."""
        reference, root_key = list(self._read().items())[-1]
        return WrappedKey(reference, wrap(root_key, key, bound))

    def unwrap(self, wrapped: WrappedKey, bound: bytes) -> bytes:
        """Open a wrapped key with the one that wrapped it."""
        root_key = self._read().get(wrapped.root_key)
        if root_key is None:
            raise RootKeyError(
                f"Keys in this database were wrapped by root key {wrapped.root_key}, which {self.path} does not hold. "
                "Nothing was changed; put the right root key back."
            )
        return unwrap(root_key, wrapped.wrapped, bound)

    def _read(self) -> dict[str, bytes]:
        # Read anew each time: it happens once an owner while keys are cached, and a new root key is in effect at once.
        try:
            text, mode = self.path.read_text(), self.path.stat().st_mode
        except (OSError, UnicodeDecodeError):
            raise RootKeyError(f"The root key's file {self.path} cannot be read; see docs/encryption.md.") from None
        if self.is_production and mode & _OTHERS:
            raise RootKeyError(f"The root key's file {self.path} is open to other users; `chmod 600` it.")
        keys = [_decode(self.path, line) for line in text.split()]
        if not keys:
            raise RootKeyError(f"The root key's file {self.path} holds no key.")
        return {reference_of(key): key for key in keys}


def reference_of(root_key: bytes) -> str:
    """Return the reference of a root key.

    Source: FIPS 180-4.
    """
    return f"file:{hashlib.sha256(_LABEL + root_key).hexdigest()[:REFERENCE_DIGITS]}"


def make_root_keys(settings: Settings) -> RootKeyProvider:
    """Return the provider that the settings name."""
    return FileRootKeys(settings.root_key_path, is_production=settings.is_production)


def _decode(path: Path, line: str) -> bytes:
    try:
        key = base64.b64decode(line + "=" * (-len(line) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise RootKeyError(f"A line of the root key's file {path} is no key: 32 bytes in base64url, 43 characters.")
    return key
