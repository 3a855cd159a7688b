"""What a check finds: each is one attack with its name, its wall, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.isolation.canaries import Pair


class Outcome(StrEnum):
    """How a check ended; one that could not run has not passed."""

    PASSED = "passed"
    FAILED = "failed"
    COULD_NOT_RUN = "could not run"


class Breach(Exception):  # noqa: N818  # It is no error: it is what a probe looks for.
    """A wall did not hold; the words say where, and never what was planted."""


class NotTried(Exception):  # noqa: N818  # It is no error of the product: the ground for a check is missing.
    """A check cannot be made here; the words say why."""


@dataclass(frozen=True)
class Check:
    """One attack: `run` returns what was tried, in words.

    Errors: `run` raises Breach when the wall did not hold, NotTried when it could not be tried.
    """

    name: str
    wall: str
    title: str
    run: Callable[[Pair], str]


@dataclass(frozen=True)
class Result:
    """How a check ended, in words that people read."""

    name: str
    wall: str
    title: str
    outcome: Outcome
    detail: str

    def as_facts(self) -> dict[str, Any]:
        """Return the result as a report holds it."""
        return {
            "name": self.name,
            "wall": self.wall,
            "title": self.title,
            "outcome": self.outcome.value,
            "detail": self.detail,
        }
