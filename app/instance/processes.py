"""Processes that outlive nobody: each inherits the lock of its pid file, so what is left of it can be found and ended.

A lock is held until the last descendant has gone, so a recorded pid is trusted only while its lock is held:
a number that the system gave to somebody else is never signalled.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.core.errors import ConfigError

LAUNCHER = Path(__file__).with_name("launch.py")
LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.02
PROC = Path("/proc")


@dataclass(frozen=True)
class Account:
    """The system user that a process runs as."""

    uid: int
    gid: int

    def find_barrier(self, path: Path) -> Path | None:
        """Find the outermost folder above a path that this user may not enter."""
        return next((parent for parent in reversed(path.parents) if not self._may_enter(parent)), None)

    def _may_enter(self, folder: Path) -> bool:
        status = folder.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return bool(status.st_mode >> shift & 0o1)


def free_port() -> int:
    """Find a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def spawn(
    command: Sequence[str],
    *,
    pid_file: Path,
    environment: Mapping[str, str],
    output: int | IO[bytes],
    errors: int | IO[bytes] = subprocess.STDOUT,
    death_signal: signal.Signals = signal.SIGKILL,
    account: Account | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own; on Linux it gets `death_signal` when the calling thread ends.

    Errors: ConfigError while an earlier process of this pid file lives.
    """
    who = account or Account(-1, -1)
    descriptor = _open_locked(pid_file)
    try:
        return subprocess.Popen(  # noqa: S603  # The commands are this package's own.
            [sys.executable, "-I", "-S", str(LAUNCHER)]
            + [str(number) for number in (descriptor, int(death_signal), os.getpid(), who.uid, who.gid)]
            + list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=dict(environment),
            cwd=folder,
            pass_fds=(descriptor,),
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def stop(process: subprocess.Popen[bytes], *, signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """End a process: each signal has its patience in seconds, SIGKILL to the whole session comes last."""
    for number, patience_seconds in signals:
        with suppress(subprocess.TimeoutExpired):
            process.send_signal(number)
            process.wait(patience_seconds)
            return
    kill_session(process.pid)
    process.wait()


def stop_leftover(pid_file: Path, *, first: signal.Signals = signal.SIGKILL, patience_seconds: float = 10) -> None:
    """End what a killed supervisor left behind under this pid file; nothing there is fine.

    Errors: ConfigError when it survives even SIGKILL.
    """
    if not pid_file.exists():
        return
    with pid_file.open("rb") as file:
        ends = [kill_session] if first == signal.SIGKILL else [lambda pid: _signal(pid, first), kill_session]
        for end in ends:
            if _try_lock(file.fileno()):
                return
            _end(file, end)
            if wait_until(lambda: _try_lock(file.fileno()), patience_seconds):
                return
    raise ConfigError(f"A process of an earlier run still holds {pid_file}; end it and start again.")


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition until it holds or the time is over; tell which."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def kill_session(leader: int) -> None:
    """Send SIGKILL to a leader and all that stayed in its session, process groups of their own included."""
    for pid in _all_pids():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)


def _all_pids() -> Iterator[int]:
    # A slim Linux image has no ps, macOS has no /proc.
    if (PROC / "self").exists():
        return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    command = ["ps", "-A", "-o", "pid="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # Ours, no shell.
    return (int(word) for word in listing.stdout.split())


def _open_locked(pid_file: Path) -> int:
    descriptor = os.open(pid_file, os.O_RDWR | os.O_CREAT, 0o600)
    if not _try_lock(descriptor):
        os.close(descriptor)
        raise ConfigError(f"A process of an earlier run still holds {pid_file}; end it and start again.")
    os.ftruncate(descriptor, 0)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _end(file: IO[bytes], end: Callable[[int], None]) -> None:
    # An empty file belongs to a launcher that has not got as far as its pid; it notices its parent's death itself.
    file.seek(0)
    recorded = file.read()
    if recorded:
        end(int(recorded))


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
