"""What a process has used: CPU time and memory, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import psycopg

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# The measuring connection has no such name, and other databases of the cluster are not asked for.
BACKENDS = "select pid from pg_stat_activity where datname = %s and application_name like 'tenantry%%'"


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time that the processes have used, all their threads together.

    Units: seconds in steps of the kernel's clock tick, a hundredth of a second on Linux.
    Source: proc(5), utime and stime of /proc/<pid>/stat.
    """
    return sum(sum(map(int, _stat(pid)[11:13])) for pid in pids) / TICKS_PER_SECOND


def resident_megabytes(pid: int) -> float:
    """Return the memory of a process that is in RAM, what it shares with others included.

    Units: megabytes of 1,000,000 bytes.
    """
    return int(_stat(pid)[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def shared_megabytes(pid: int) -> float:
    """Return a process's memory with what it shares divided among those who share it.

    Units: megabytes of 1,000,000 bytes.
    Source: proc(5), Pss of /proc/<pid>/smaps_rollup.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:"))


def private_megabytes(pid: int) -> float:
    """Return the memory that a process has for itself alone: shared buffers and the program's own text are not in it.

    Units: megabytes of 1,000,000 bytes.
    Source: proc(5), RssAnon of /proc/<pid>/status.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("RssAnon:"))


def children_of(parent: int) -> list[int]:
    """Return the processes that a process has started and not lost, the oldest first."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.joinpath("stat").exists() and int(_stat(int(entry.name))[1]) == parent:
            found.append(int(entry.name))
    return sorted(found)


def backends_of(connection: psycopg.Connection, database: str) -> list[int]:
    """Return PostgreSQL's processes that serve the product in one database."""
    return [row[0] for row in connection.execute(BACKENDS, (database,))]


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ["0"] * 50  # It has just ended.
    # A program's name may hold blanks and brackets; the numbers stand behind the last one.
    return text.rpartition(")")[2].split()
