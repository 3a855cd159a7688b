"""The file through which commands in another shell find a running instance."""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from app.core.config import INSTANCE_FILE
from app.instance.secrets import write_private


class InstanceFile:
    """Holds true for as long as this process does: the lock on it ends with its writer, however that ends."""

    def __init__(self, var_dir: Path, values: Mapping[str, str]) -> None:
        """Write down what an instance was given."""
        self._path = var_dir / INSTANCE_FILE
        write_private(self._path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))
        self._descriptor = os.open(self._path, os.O_RDWR)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Take it away; the instance ends."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
