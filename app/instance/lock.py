"""The lock that lets one supervisor at a time have a folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from app.core.errors import ConfigError
from app.instance.processes import wait_until

STOP_SECONDS = 60
STOPPING = b"stopping"


class InstanceLock:
    """The lock of one VAR_DIR, free again as soon as its holder has gone, however it went."""

    def __init__(self, var_dir: Path) -> None:
        """Take the lock; a holder that has begun to stop is waited for.

        Errors: ConfigError while another supervisor runs.
        """
        self._descriptor = os.open(var_dir / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
        wait_until(lambda: self._try() or not self._holder_stops(), STOP_SECONDS)
        if not self._try():
            os.close(self._descriptor)
            raise ConfigError(
                f"Another supervisor runs on {var_dir}: stop it, or begin a second instance with its own folder and "
                f"port (make run PORT=8123 VAR_DIR=/some/folder)."
            )
        self._note(b"running")

    def announce_stop(self) -> None:
        """Let a supervisor that starts now wait for this one instead of giving up."""
        self._note(STOPPING)

    def release(self) -> None:
        """Give the folder to the next one."""
        os.close(self._descriptor)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder_stops(self) -> bool:
        return os.pread(self._descriptor, len(STOPPING), 0) == STOPPING

    def _note(self, state: bytes) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, state, 0)
