"""Who acts: the identity that services receive and audit events record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ActorKind(StrEnum):
    """The kinds of actor."""

    STAFF = "staff"
    MEMBER = "member"
    VISITOR = "visitor"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """One actor; `label` is what people read (an e-mail address, a command's name)."""

    kind: ActorKind
    label: str
    id: UUID | None = None
    address: str | None = None

    @classmethod
    def system(cls, name: str) -> Actor:
        """Return the named system actor, such as a job or a command."""
        return cls(ActorKind.SYSTEM, name)

    @classmethod
    def visitor(cls, address: str | None = None) -> Actor:
        """Return somebody who has not signed in."""
        return cls(ActorKind.VISITOR, "visitor", address=address)
