"""The parts of a clone's work on databases, in their order; each finds what an earlier, killed run of it has done."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.clones.taking import plan_clone
from app.core.copy_rules import CopyWay
from app.core.tenancy.scopes import Placement, Tier
from app.homes.building import create_database
from app.homes.structure import read_structure
from app.moves.copying import Copied, Note, copy_home
from app.moves.ends import End, open_end
from app.moves.engine import check_fit, expect_home
from app.moves.extracts import Plan
from app.moves.places import HomeSource, target_at
from app.moves.prechecks import refuse_full, refuse_unready
from app.moves.switching import turn_route


@dataclass(frozen=True)
class Way:
    """From whose home, and where it lies, to whose; and whether members keep their names."""

    source_id: UUID
    source: Placement
    target_id: UUID
    target: Placement
    keeps_names: bool = False


def check(way: Way) -> str:
    """Refuse a clone that could not end well, before anything is written; return what was found, for people to read.

    Errors: StateError that says why; UnavailableError when a server does not answer.
    """
    with open_end(way.source_id, way.source) as source:
        # First: reading the structure would wait for whoever holds a table.
        refuse_unready(source, way.target, stops_writers=False)
        structure = _plan_of(way, source).structure
        check_fit(structure, way.target)
        return refuse_full(source, way.target, structure)


def copy(way: Way, note: Note) -> Copied:
    """Build the new home and fill it from one snapshot of the source, to which nothing is written.

    Errors: as check; StateError when the copy is not what its rules say.
    """
    plan = _plan(way)
    if way.target.tier is Tier.DATABASE:
        create_database(way.target)
    expect_home(way.target_id, way.target)
    with open_end(way.source_id, way.source) as source, open_end(way.target_id, way.target) as target:
        return copy_home(HomeSource(source), target_at(target), plan, note)


def open_home(way: Way) -> None:
    """Let the new tenant's requests and jobs into its home."""
    with open_end(way.target_id, way.target) as target:
        turn_route(target)


def _plan(way: Way) -> Plan:
    with open_end(way.source_id, way.source) as source:
        return _plan_of(way, source)


def _plan_of(way: Way, source: End) -> Plan:
    structure = read_structure(source.connection, way.source.schema)
    return plan_clone(structure, CopyWay(way.source_id, way.target_id), keeps_names=way.keeps_names)
