"""The order in which a run comes to homes: a canary, then growing shares, each only if the one before went well."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum
from hashlib import sha256
from math import ceil

from app.core.database.home_versions import HomeKey

# A tenant with this tag is among the first.
CANARY_TAG = "canary"
DEFAULT_FAILURE_RATIO = 0.05
# Before so many homes a failure says little about the next; at the end of a ring every one counts.
ENOUGH_TO_JUDGE = 20


class Ring(IntEnum):
    """The rings of a run; servers' own databases, pools among them, come before every home."""

    SERVERS = 0
    CANARY = 1
    ONE_PERCENT = 2
    TEN_PERCENT = 3
    HALF = 4
    ALL = 5

    @property
    def title(self) -> str:
        """Return what people call it."""
        return _TITLES[self]


HOME_RINGS = tuple(ring for ring in Ring if ring is not Ring.SERVERS)
_TITLES = {
    Ring.SERVERS: "The servers’ own databases",
    Ring.CANARY: "Canary homes",
    Ring.ONE_PERCENT: "1 % of the homes",
    Ring.TEN_PERCENT: "10 % of the homes",
    Ring.HALF: "Half of the homes",
    Ring.ALL: "All homes",
}
_SHARES = {Ring.ONE_PERCENT: 0.01, Ring.TEN_PERCENT: 0.1, Ring.HALF: 0.5, Ring.ALL: 1.0}


def assign_rings(homes: Iterable[HomeKey], canaries: Collection[HomeKey]) -> list[tuple[HomeKey, Ring]]:
    """Return every home with its ring, in the order of the run; without canaries the first home is one."""
    # By a hash, so that each ring has old and new homes of every server, and a second look gives the same order.
    ordered = sorted(homes, key=lambda home: (home not in canaries, sha256(str(home).encode()).digest()))
    canary_count = max(sum(home in canaries for home in ordered), 1)
    return [(home, _ring_of(place, canary_count, len(ordered))) for place, home in enumerate(ordered, start=1)]


def has_too_many_failures(failed: int, attempted: int, ratio: float, *, ring_has_ended: bool) -> bool:
    """Tell whether a run stops before it comes to more homes."""
    if attempted == 0 or (attempted < ENOUGH_TO_JUDGE and not ring_has_ended):
        return False
    return failed / attempted > ratio


def _ring_of(place: int, canary_count: int, total: int) -> Ring:
    if place <= canary_count:
        return Ring.CANARY
    return next(ring for ring, share in _SHARES.items() if place <= ceil(total * share))
