"""The moment of the switch: the home fenced, its writers waited for, the last keys followed, the route turned."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from psycopg.errors import LockNotAvailable

from app.core.database.home_versions import copy_version, read_version
from app.core.database.owner import owner_connection
from app.core.errors import UnavailableError
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, Tier
from app.homes.building import home_key
from app.homes.structure import HomeStructure
from app.moves import belongings
from app.moves.changes import forget_keys
from app.moves.ends import End
from app.moves.rounds import follow
from app.moves.verification import fingerprint, refuse_difference

# How long a tenant's requests may be refused while its writers end; then the fence is lifted and the move tries again.
FENCE_SECONDS = 2.0
LOCK_MILLISECONDS = 250
# Up to here every row is compared once more under the fence; beyond, those that changed since the copy was verified.
FULL_CHECK_ROWS = 200_000

_STATE = "update tenancy.homes set state = %s where tenant_id = %s and state <> 'purged'"
_OPEN = """
insert into tenancy.homes (tenant_id, epoch, state) values (%s, %s, 'active')
on conflict (tenant_id) do update set epoch = excluded.epoch, state = 'active'
"""
# A tenant's region is that of the server to which it was last moved.
_REGION = """
update control.tenants t set region = s.region
from control.servers s, control.placements p
where t.id = %s and p.tenant_id = t.id and s.name = %s and p.server <> s.name
"""
_ROUTE = """
update control.placements set server = %s, database_name = %s, tier = %s, schema_name = %s, epoch = %s
where tenant_id = %s
"""


class WritersBusyError(UnavailableError):
    """A transaction of the tenant's did not end in time; the fence was lifted, and the switch is tried again."""


@dataclass(frozen=True)
class Switched:
    """How long the tenant's writers were kept out, and what the last round carried."""

    pause_seconds: float
    key_count: int


def switch(source: End, target: End, structure: HomeStructure, *, row_count: int) -> Switched:
    """Turn the route from the source to the target; whatever fails before that leaves the source in force.

    What is written at the target from then on is noted there, for the way back.

    Errors: WritersBusyError; StateError when the two are not equal.
    """
    with _fenced(source):
        began = time.monotonic()
        _wait_for_writers(source)
        keys = follow(source, target, structure)
        if row_count <= FULL_CHECK_ROWS:
            _refuse_unequal(source, target, structure)
        if source.placement.address != target.placement.address:
            belongings.carry(source, target)
        forget_keys(target)
        turn_route(target)
        return Switched(time.monotonic() - began, sum(map(len, keys.values())))


def turn_route(target: End) -> None:
    """Open the target's home in its new epoch, and send everybody there: contexts of the old epoch are refused."""
    placement = target.placement
    if placement.address != MAIN_DATABASE:
        target.connection.execute(_OPEN, (target.tenant_id, placement.epoch))
    version = read_version(target.connection, placement.schema)
    with owner_connection() as main, main.transaction():
        main.execute(_OPEN, (target.tenant_id, placement.epoch))
        if placement.tier is not Tier.POOL and version is not None:
            copy_version(main, home_key(placement), placement.tier, version)
        place = (placement.server, placement.database, placement.tier, placement.schema, placement.epoch)
        main.execute(_REGION, (target.tenant_id, placement.server))
        main.execute(_ROUTE, (*place, target.tenant_id))


def lift_fence(source: End) -> None:
    """Let the tenant work at the source again, after a switch that has failed or was killed.

    Errors: UnavailableError when one of the two databases does not answer; the other's fence is lifted all the same.
    """
    with ExitStack() as lifting:
        # The last one in goes first, and each is tried, whatever another raises.
        for address in _fenced_at(source):
            lifting.callback(_set_state, source, address, "active")


@contextmanager
def _fenced(source: End) -> Iterator[None]:
    try:
        for address in _fenced_at(source):
            _set_state(source, address, "fenced")
        yield
    except BaseException:
        lift_fence(source)
        raise


def _fenced_at(source: End) -> Iterable[DatabaseAddress]:
    return dict.fromkeys((MAIN_DATABASE, source.placement.address))


def _set_state(source: End, address: DatabaseAddress, state: str) -> None:
    with owner_connection(address) as connection:
        connection.execute(_STATE, (state, source.tenant_id))


def _wait_for_writers(source: End) -> None:
    # Each transaction of the tenant holds its lock shared. Waiting in short turns lets those that come now be refused
    # at once instead of queueing behind us.
    until = time.monotonic() + FENCE_SECONDS
    while time.monotonic() < until:
        try:
            with source.connection.transaction():
                source.connection.execute(f"set local lock_timeout to '{LOCK_MILLISECONDS}ms'")
                source.connection.execute(
                    "select pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(source.tenant_id),)
                )
        except LockNotAvailable:
            continue
        return
    raise WritersBusyError(
        f"A transaction of this tenant has been open for more than {FENCE_SECONDS:.0f} seconds; the move lets the "
        "tenant work on and tries again."
    )


def _refuse_unequal(source: End, target: End, structure: HomeStructure) -> None:
    with source.transaction(), target.transaction():
        refuse_difference(fingerprint(source, structure), fingerprint(target, structure))
