"""The parts of a move in their order; each finds what an earlier, killed run of it has done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog

from app.core.database.owner import owner_connection
from app.core.errors import ConfigError, StateError, UnavailableError
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, Placement, Tier
from app.homes.building import create_database, drop_home, drop_place
from app.homes.structure import HomeStructure, compare, read_structure
from app.moves import belongings
from app.moves.changes import switch_off, switch_on
from app.moves.copying import Copied, copy_home, refuse_unfit
from app.moves.ends import End, open_end
from app.moves.extracts import take_everything
from app.moves.places import HomeSource, target_at
from app.moves.prechecks import refuse_full, refuse_unready
from app.moves.rounds import follow
from app.moves.switching import Switched, lift_fence, switch

# A round that takes no longer than this would fit into the pause of the switch.
ROUND_SECONDS = 0.3
MOST_ROUNDS = 200

Note = Callable[[str], None]
log = structlog.get_logger()
# The target's database knows the tenant before its home is open: fenced, so that only the owner gets in.
_EXPECT = """
insert into tenancy.homes (tenant_id, epoch, state) values (%s, %s, 'fenced')
on conflict (tenant_id) do update set epoch = excluded.epoch, state = 'fenced'
where homes.epoch < excluded.epoch or homes.state = 'purged'
"""
_TAKES_CONNECTIONS = "select datallowconn from pg_database where datname = %s"
_FORGET_HOME = "update tenancy.homes set state = 'purged' where tenant_id = %s and epoch <= %s"


@dataclass(frozen=True)
class Route:
    """From where to where a tenant's home goes; the target's epoch is one above the source's."""

    tenant_id: UUID
    source: Placement
    target: Placement

    @property
    def crosses_databases(self) -> bool:
        return self.source.address != self.target.address

    @property
    def enters_database(self) -> bool:
        """Tell whether the target's database has not known the tenant; the main one knows every tenant."""
        return self.crosses_databases and self.target.address != MAIN_DATABASE


def check(route: Route) -> str:
    """Refuse a move that could not end well, before anything is written; return what was found, for people to read.

    Errors: StateError that says why; UnavailableError when a server does not answer.
    """
    with open_end(route.tenant_id, route.source) as source:
        # First: reading the structure would wait for whoever holds a table.
        refuse_unready(source, route.target, stops_writers=True)
        structure = read_structure(source.connection, route.source.schema)
        check_fit(structure, route.target)
        return refuse_full(source, route.target, structure)


def check_fit(structure: HomeStructure, target: Placement) -> None:
    """Refuse a home that could not be copied to a place.

    Errors: StateError that says why; UnavailableError when the place's server does not answer.
    """
    refuse_unfit(structure)
    with owner_connection(DatabaseAddress(target.server)) as connection:
        if target.tier is Tier.POOL:
            differences = compare(structure, read_structure(connection, target.schema))
            if differences:
                raise StateError(
                    f"The two homes differ in {differences[0].label}; migrate or mend the older one first."
                )


def copy(route: Route, note: Note) -> Copied:
    """Note changes at the source from now on, and fill the target from one snapshot."""
    _prepare_target(route)
    with _ends(route) as (source, target):
        structure = read_structure(source.connection, route.source.schema)
        switch_on(source, structure)
        return copy_home(HomeSource(source), target_at(target), take_everything(structure), note)


def catch_up(route: Route, note: Note) -> int:
    """Follow the changes until a round is short enough for the switch; return how many keys that were.

    Errors: StateError when the tenant writes faster than its rows can be copied.
    """
    total = 0
    with _ends(route) as (source, target):
        structure = read_structure(source.connection, route.source.schema)
        for number in range(1, MOST_ROUNDS + 1):
            began = time.monotonic()
            total += sum(map(len, follow(source, target, structure).values()))
            note(f"round {number}: {total} changed rows followed")
            if time.monotonic() - began <= ROUND_SECONDS:
                switch_on(target, structure)
                return total
    raise StateError(f"After {MOST_ROUNDS} rounds the tenant still writes faster than its rows can be copied.")


def turn(route: Route, *, row_count: int) -> Switched:
    """Switch, unless an earlier run has.

    Errors: as switch.
    """
    with _ends(route) as (source, target):
        if is_turned(route):
            return Switched(0.0, 0)
        structure = read_structure(source.connection, route.source.schema)
        return switch(source, target, structure, row_count=row_count)


def tidy(route: Route) -> None:
    """Stop noting at the source, and take away what would be done twice there."""
    if _is_there(route.source):
        with open_end(route.tenant_id, route.source) as source:
            switch_off(source, read_structure(source.connection, route.source.schema))
    # A database of its own that no placement names is asked for jobs by nobody, and goes with all that is in it.
    if route.crosses_databases and route.source.tier is not Tier.DATABASE:
        with owner_connection(route.source.address) as connection:
            belongings.forget(connection, route.tenant_id)


def expect(route: Route) -> None:
    """Let the target's database know the tenant in the target's epoch, fenced, so that only the owner gets in."""
    if route.enters_database:
        expect_home(route.tenant_id, route.target)


def expect_home(tenant_id: UUID, placement: Placement) -> None:
    """Let a database know a home that is still to be filled: fenced, so that only the owner gets in."""
    with owner_connection(placement.address) as connection:
        connection.execute(_EXPECT, (tenant_id, placement.epoch))


def stay(route: Route) -> None:
    """Let the tenant work on at the source, where its changes go on being noted.

    Errors: StateError when the route has been turned.
    """
    _refuse_turned(route)
    with open_end(route.tenant_id, route.source) as source:
        lift_fence(source)


def give_up(route: Route) -> bool:
    """Return to the source: lift the fence, stop noting, drop what was copied; tell whether that could be dropped.

    A target that is away keeps what was copied: nobody is sent there, and another move to it begins with an empty one.

    Errors: StateError when the route has been turned: the source is no longer the truth.
    """
    _refuse_turned(route)
    with open_end(route.tenant_id, route.source) as source:
        lift_fence(source)
        switch_off(source, read_structure(source.connection, route.source.schema))
    try:
        _drop_target(route)
    except (UnavailableError, ConfigError):
        log.warning("target_left_behind", target=str(route.target.address), schema=route.target.schema)
        return False
    return True


def purge(route: Route) -> None:
    """Drop the source, which was kept for the way back, and stop noting changes at the target."""
    with open_end(route.tenant_id, route.target) as target:
        switch_off(target, read_structure(target.connection, route.target.schema))
    drop_home(route.tenant_id, route.source)


def is_turned(route: Route) -> bool:
    """Tell whether the registry sends the tenant to the target."""
    with owner_connection() as main:
        row = main.execute("select epoch from control.placements where tenant_id = %s", (route.tenant_id,)).fetchone()
    return row is not None and row[0] == route.target.epoch


@contextmanager
def _ends(route: Route) -> Iterator[tuple[End, End]]:
    with open_end(route.tenant_id, route.source) as source, open_end(route.tenant_id, route.target) as target:
        yield source, target


def _prepare_target(route: Route) -> None:
    if route.target.tier is Tier.DATABASE:
        create_database(route.target)
    expect(route)


def _is_there(placement: Placement) -> bool:
    if placement.tier is Tier.POOL:
        return True
    with owner_connection(DatabaseAddress(placement.server)) as connection:
        if placement.tier is Tier.SCHEMA:
            row = connection.execute("select to_regnamespace(%s) is not null", (placement.schema,)).fetchone()
        else:
            row = connection.execute(_TAKES_CONNECTIONS, (placement.database,)).fetchone()
    return row == (True,)


def _refuse_turned(route: Route) -> None:
    if is_turned(route):
        raise StateError("The route has been turned already; take the home back with a return instead.")


def _drop_target(route: Route) -> None:
    drop_place(route.tenant_id, route.target)
    if route.enters_database and route.target.tier is not Tier.DATABASE:
        with owner_connection(route.target.address) as connection:
            connection.execute(_FORGET_HOME, (route.tenant_id, route.target.epoch))
