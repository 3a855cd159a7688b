"""The declared kinds of operation: their steps, where each step works, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.core.actors import Actor
from app.core.errors import StateError


class StepScope(StrEnum):
    """Where a step's effect lies, and with which login it works.

    A SERVER step runs outside of every scope, over connections of the owner's own: what it does to databases no one
    transaction holds together, so each part of it must be found done when it comes again.
    """

    PLATFORM = "platform"
    TENANT = "tenant"
    OWNER = "owner"
    SERVER = "server"


@dataclass(frozen=True)
class StepInput:
    """What a step is given; everything else it reads itself."""

    operation_id: UUID
    tenant_id: UUID | None
    payload: dict[str, Any]

    def get_tenant_id(self) -> UUID:
        """Return the tenant that the operation is of.

        Errors: StateError for an operation that is of none.
        """
        if self.tenant_id is None:
            raise StateError("This operation is of no tenant.")
        return self.tenant_id


StepFunction = Callable[[StepInput], None]


@dataclass(frozen=True)
class Step:
    """One idempotent step; `undo` is its compensation, None where there is nothing to take back."""

    name: str
    title: str
    scope: StepScope
    run: StepFunction
    undo: StepFunction | None = None


@dataclass(frozen=True)
class OperationKind:
    """A kind of operation; the hooks run in the platform's scope, inside the transaction that ends or resumes it.

    One that fails before the step named `returns_before` is done takes itself back, without being asked.
    """

    name: str
    title: str
    steps: tuple[Step, ...]
    on_failed: Callable[[StepInput, str], None] | None = None
    on_retried: Callable[[StepInput, Actor], None] | None = None
    on_compensated: Callable[[StepInput], None] | None = None
    returns_before: str | None = None

    @property
    def can_be_taken_back(self) -> bool:
        return any(step.undo is not None for step in self.steps)


_kinds: dict[str, OperationKind] = {}


def register_operation(kind: OperationKind) -> None:
    """Declare a kind; the same name again replaces it, so that a process may make several apps."""
    _kinds[kind.name] = kind


def get_operation_kind(name: str) -> OperationKind:
    """Return a declared kind; KeyError for one that no code declares."""
    return _kinds[name]


def find_operation_kind(name: str) -> OperationKind | None:
    """Return a declared kind, or None for one that this release does not know."""
    return _kinds.get(name)


def list_operation_kinds() -> list[OperationKind]:
    """Return every declared kind by title."""
    return sorted(_kinds.values(), key=lambda kind: kind.title)
