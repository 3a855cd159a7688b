"""The supervisor: starts processes, logs what they say, starts them again when they die, stops them together."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from app.core.errors import TenantryError
from app.instance.logs import Logs
from app.instance.processes import kill_session, spawn, stop_leftover

TURN_SECONDS = 0.1
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
# Who lives this long has recovered: the next death counts as the first.
STEADY_SECONDS = 60.0


class StoppedError(TenantryError):
    """A signal asked the supervisor to stop before it was done."""


class StepError(TenantryError):
    """A step ended with an exit code that is not zero."""


@dataclass(frozen=True)
class Child:
    """A program to run: a step that ends by itself, or one that is kept alive."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass
class _Slot:
    child: Child
    process: subprocess.Popen[bytes]
    started_at: float
    deaths: int = 0
    restart_at: float | None = None


@dataclass
class _Pipe:
    name: str
    rest: bytes = b""
    kept: list[str] | None = None


class Supervisor:
    """Runs in the main thread and starts no other, since its processes are bound to the thread that began them."""

    def __init__(self, run_dir: Path, logs: Logs, *, grace_seconds: float = 10.0) -> None:
        self.stop_requested = False
        self._is_hurried = False
        self._run_dir = run_dir
        self._logs = logs
        self._grace_seconds = grace_seconds
        self._slots: list[_Slot] = []
        self._selector = selectors.DefaultSelector()
        run_dir.mkdir(parents=True, exist_ok=True)

    def listen_to_signals(self, announce_stop: Callable[[], None]) -> None:
        """Turn the signals that end a program into a request to stop, announced at once.

        A second Ctrl-C takes what is left of the children's time: jobs and operations go on where they are at the next
        start. Another signal does not, because a terminal that closes and make may both send one.
        """

        def request_stop(number: int, frame: FrameType | None) -> None:
            if not self.stop_requested:
                self._logs.show("Stopping…")
            elif number == signal.SIGINT and not self._is_hurried:
                self._is_hurried = True
                self._logs.show("Stopping at once; what is unfinished goes on at the next start.")
            self.stop_requested = True
            announce_stop()

        signal.signal(signal.SIGINT, request_stop)
        signal.signal(signal.SIGTERM, request_stop)
        # Under nohup the end of the terminal is to be survived.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, request_stop)

    def stop_leftovers(self) -> None:
        """End the processes that a killed supervisor left running."""
        for pid_file in sorted(self._run_dir.glob("*.pid")):
            stop_leftover(pid_file)

    def run_step(self, step: Child) -> str:
        """Run a program to its end and answer what it wrote to standard output.

        Errors: StepError when it fails; StoppedError when a signal came first.
        """
        if self.stop_requested:
            raise StoppedError
        kept: list[str] = []
        process = self._spawn(step, errors=subprocess.PIPE, kept=kept)
        while process.poll() is None and not self.stop_requested:
            self._forward(TURN_SECONDS)
        if self.stop_requested:
            kill_session(process.pid)
            process.wait()
            raise StoppedError
        self._drain()
        if process.returncode != 0:
            raise StepError(f"The step {step.name} ended with exit code {process.returncode}; its output is above.")
        return "\n".join(kept)

    def start(self, child: Child) -> None:
        """Start a program and keep it alive from now on."""
        process = self._spawn(child, errors=subprocess.STDOUT)
        self._slots.append(_Slot(child, process, time.monotonic()))

    def turn(self) -> None:
        """Log output for a moment, then see to those that have died."""
        self._forward(TURN_SECONDS)
        for slot in self._slots:
            self._revive(slot)

    def stop(self) -> None:
        """Ask all children to end, wait for them together, and kill those that are left after the grace."""
        for slot in self._slots:
            slot.process.terminate()
        deadline = time.monotonic() + self._grace_seconds
        while self._any_lives() and time.monotonic() < deadline and not self._is_hurried:
            self._forward(TURN_SECONDS / 5)
        for slot in self._slots:
            self._end(slot)
        self._drain()
        self._slots.clear()

    def _spawn(self, child: Child, *, errors: int, kept: list[str] | None = None) -> subprocess.Popen[bytes]:
        process = spawn(
            child.command,
            pid_file=self._pid_file(child),
            environment=child.environment,
            output=subprocess.PIPE,
            errors=errors,
        )
        self._listen(process.stdout, _Pipe(child.name, kept=kept))
        self._listen(process.stderr, _Pipe(child.name))
        return process

    def _listen(self, stream: IO[bytes] | None, pipe: _Pipe) -> None:
        if stream is not None:
            self._selector.register(stream, selectors.EVENT_READ, pipe)

    def _forward(self, seconds: float) -> bool:
        ready = self._selector.select(seconds)
        for key, _ in ready:
            self._read(key)
        if not self._selector.get_map():
            time.sleep(seconds)
        return bool(ready)

    def _drain(self) -> None:
        while self._forward(0):
            pass

    def _read(self, key: selectors.SelectorKey) -> None:
        pipe: _Pipe = key.data
        chunk = os.read(key.fd, 65536)
        *lines, pipe.rest = (pipe.rest + chunk).split(b"\n")
        if not chunk:
            self._selector.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]  # Only streams are registered, never bare numbers.
            lines, pipe.rest = [pipe.rest] if pipe.rest else [], b""
        for line in lines:
            self._say(pipe, line.decode(errors="replace"))

    def _say(self, pipe: _Pipe, line: str) -> None:
        if pipe.kept is not None:
            pipe.kept.append(line)
            return
        self._logs.add(pipe.name, line)

    def _revive(self, slot: _Slot) -> None:
        now = time.monotonic()
        if slot.restart_at is None and slot.process.poll() is not None:
            slot.deaths = 1 if now - slot.started_at > STEADY_SECONDS else slot.deaths + 1
            delay = min(FIRST_DELAY_SECONDS * 2 ** (slot.deaths - 1), LONGEST_DELAY_SECONDS)
            slot.restart_at = now + delay
            code = slot.process.returncode
            self._logs.show(f"{slot.child.name} ended with exit code {code}; it is started again in {delay:g} s.")
        if slot.restart_at is not None and now >= slot.restart_at:
            # Workers that a dead parent left would hold its port and its lock.
            stop_leftover(self._pid_file(slot.child))
            slot.process = self._spawn(slot.child, errors=subprocess.STDOUT)
            slot.started_at, slot.restart_at = now, None

    def _any_lives(self) -> bool:
        return any(slot.process.poll() is None for slot in self._slots)

    def _end(self, slot: _Slot) -> None:
        # A process that has been waited for no longer owns its number; what it left is found by its lock.
        if slot.process.poll() is None:
            kill_session(slot.process.pid)
            slot.process.wait()
        stop_leftover(self._pid_file(slot.child))

    def _pid_file(self, child: Child) -> Path:
        return self._run_dir / f"{child.name}.pid"
