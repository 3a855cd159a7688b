"""What the processes say: every line into a file of its process, and onto the terminal what somebody must see."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TextIO

MOST_BYTES = 10_000_000
ORDINARY = ("debug", "info")


class Logs:
    """The log files of one instance, of which this process is the only writer, and its terminal."""

    def __init__(self, folder: Path, terminal: TextIO) -> None:
        """Open nothing yet, except the folder: what is logged is nobody else's to read."""
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.folder = folder
        self._terminal = terminal
        self._files: dict[str, BinaryIO] = {}

    def add(self, name: str, line: str) -> None:
        """Write down what a process said; show it too unless it calls itself ordinary."""
        # A disk that is full must not keep the children from being stopped.
        with suppress(OSError):
            self._file(name).write(line.encode() + b"\n")
        if not _is_ordinary(line):
            self.show(f"{name} | {line}")

    def show(self, line: str) -> None:
        """Write a line to the terminal alone."""
        # Closed, it must not keep the children from being stopped; and a signal may come while a line is being written.
        with suppress(OSError, RuntimeError):
            self._terminal.write(line + "\n")
            self._terminal.flush()

    def close(self) -> None:
        """Close the files."""
        while self._files:
            self._files.popitem()[1].close()

    def _file(self, name: str) -> BinaryIO:
        file = self._files.get(name) or self._open(name)
        if file.tell() > MOST_BYTES:
            file.close()
            self._path(name).replace(self._path(f"{name}.before"))
            file = self._open(name)
        return file

    def _open(self, name: str) -> BinaryIO:
        descriptor = os.open(self._path(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        file: BinaryIO = os.fdopen(descriptor, "ab", buffering=0)
        self._files[name] = file
        return file

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def _is_ordinary(line: str) -> bool:
    # The product's own lines are JSON with their level. Whatever else speaks does so because something is wrong.
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("level") in ORDINARY
