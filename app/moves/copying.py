"""The bulk copy: what a plan takes of one moment's state of a source, into an empty target, verified before it counts.

A source and a target are a home's tables (`places`), or whatever else can read and write blocks of COPY: a backup is a
target, a restore's archive a source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from app.core.errors import StateError
from app.homes.structure import HomeStructure, PartKind
from app.moves.extracts import Extract, Plan
from app.moves.verification import Fingerprints, refuse_difference

Note = Callable[[str], None]
Blocks = Iterable[bytes | bytearray | memoryview]
KEY = "PRIMARY KEY (tenant_id, id)"


class Source(Protocol):
    """What a copy reads."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Hold one moment's state for as long as the block runs."""

    def check(self, plan: Plan) -> None:
        """Refuse rows that no target could hold."""

    def fingerprint(self, plan: Plan) -> Fingerprints:
        """Return what the target's fingerprint has to be."""

    def read(self, extract: Extract) -> Iterator[bytes | bytearray | memoryview]:
        """Yield what an extract takes, in blocks: of binary COPY, or of text where the extract recodes."""


class Target(Protocol):
    """What a copy fills; it is whole at the end of `filling`, or empty."""

    def filling(self) -> AbstractContextManager[None]:
        """Hold what is written back from everybody until the block has ended well."""

    def begin(self, plan: Plan) -> None:
        """Take away what an earlier run has left, and make room."""

    def write(self, extract: Extract, blocks: Blocks) -> int:
        """Take in one extract; return the number of bytes."""

    def settle(self, plan: Plan) -> None:
        """Put the rows where they belong."""

    def check(self, plan: Plan) -> None:
        """Refuse rows that refer to none."""

    def fingerprint(self, plan: Plan) -> Fingerprints:
        """Return the fingerprint of what is there."""

    def complete(self, plan: Plan) -> None:
        """Add what was left out for the sake of speed."""


@dataclass(frozen=True)
class Copied:
    """What a bulk copy carried."""

    row_count: int
    byte_count: int


def copy_home(source: Source, target: Target, plan: Plan, note: Note) -> Copied:
    """Fill the target with what the plan takes of the source at one moment, in one transaction of the target.

    Killed in the middle it leaves nothing behind; run again it begins anew.

    Errors: StateError when a row refers to none, or the copy is not equal to the source.
    """
    with source.snapshot():
        source.check(plan)
        wanted = source.fingerprint(plan)
        with target.filling():
            target.begin(plan)
            byte_count = _carry(source, target, plan, note)
            target.settle(plan)
            note("verifying the copy")
            refuse_difference(wanted, target.fingerprint(plan))
            if not plan.is_faithful:
                target.check(plan)
            note("building keys, indexes and policies")
            target.complete(plan)
    return Copied(sum(one.row_count for one in wanted.values()), byte_count)


def refuse_unfit(structure: HomeStructure) -> None:
    """Check that every table of a home can be copied and followed by key.

    Errors: StateError that names the first that cannot.
    """
    keyed = {part.table for part in structure.parts if part.kind is PartKind.CONSTRAINT and part.definition == KEY}
    for table in structure.tables:
        if table not in keyed:
            raise StateError(f"Table {table} has no primary key of tenant_id and id; its rows cannot be followed.")


def _carry(source: Source, target: Target, plan: Plan, note: Note) -> int:
    byte_count = 0
    for number, extract in enumerate(plan.extracts, start=1):
        note(f"copying table {number} of {len(plan.extracts)}: {extract.table}, {byte_count // 2**20} MB so far")
        byte_count += target.write(extract, source.read(extract))
    return byte_count
