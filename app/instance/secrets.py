"""Secrets made once for this machine and kept in files that only their owner may read."""

from __future__ import annotations

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

# 32 random bytes: 256 bits, written in 43 characters that need no quoting in a URL.
SECRET_BYTES = 32


@dataclass(frozen=True, repr=False)
class Secrets:
    """What development needs and nobody should have to invent."""

    secret_key: str
    isolation_signing_key: str
    root_key: str
    owner_password: str
    platform_password: str
    tenant_password: str


def load_or_create(var_dir: Path) -> Secrets:
    """Read the secrets under `var_dir`/secrets; one that is missing is made."""
    folder = var_dir / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return Secrets(**{name: secret_file(folder / name) for name in Secrets.__dataclass_fields__})


def secret_file(path: Path) -> str:
    """Read a secret from its file; a file that is missing or empty gets a new one."""
    if path.exists() and (known := path.read_text().strip()):
        return known
    fresh = secrets.token_urlsafe(SECRET_BYTES)
    write_private(path, fresh + "\n")
    return fresh


def write_private(path: Path, text: str) -> None:
    """Replace a file at once and durably, readable by its owner alone."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    Path(temporary).replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
