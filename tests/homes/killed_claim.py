"""Kill whoever builds a home at one statement after another: `python -m tests.homes.killed_claim TIER`.

For each point a tenant of its own: a forked process builds its home until it kills itself, a second one builds it
again. One JSON line a point says what came of it; the last is the first point that no statement reached.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import psycopg

from app import create_app
from app.core.database.owner import owner_connection
from app.core.tenancy.scopes import Tier
from app.homes import ready_homes, services
from app.homes.building import build_home, place_home, read_template
from app.homes.structure import compare, read_structure
from tests.homes.placing import write_placement
from tests.kills import in_child
from tests.tenant_rows import insert_tenant

WANTED = "update control.servers set ready_schema_count = 1, ready_database_count = 1 where name = 'main'"
NAMES = """
select nspname from pg_namespace where nspname ~ '^w_' union all select datname from pg_database where datname ~ '^w_'
"""


def arm(point: int) -> None:
    """Let this process die before its statement or its end of a transaction number `point`."""
    execute, leave, count = psycopg.Connection.execute, psycopg.Transaction.__exit__, 0

    def die() -> None:
        nonlocal count
        count += 1
        if count == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def trapped(self: psycopg.Connection[Any], *given: Any, **more: Any) -> Any:
        die()
        return execute(self, *given, **more)

    def left(self: psycopg.Transaction, *given: Any) -> Any:
        die()
        return leave(self, *given)

    psycopg.Connection.execute, psycopg.Transaction.__exit__ = trapped, left  # type: ignore[method-assign]


def kill_once(point: int, tier: Tier) -> dict[str, Any]:
    """Build one home with a kill at one point, and again; return what came of it."""
    services.fill_ready_homes()
    assert len(_ready()) == 2
    tenant_id = insert_tenant(f"t{point}-{tier}")
    placement = place_home(tenant_id, tier, "main")
    write_placement(tenant_id, placement)

    def build() -> None:
        arm(point)
        build_home(tenant_id, placement)

    killed = in_child(build)
    in_child(lambda: build_home(tenant_id, placement))
    with owner_connection(placement.address) as connection:
        is_whole = compare(read_template(), read_structure(connection, placement.schema)) == []
    # A row without a home is forgotten by the next claim or fill; a home without a row would be lost.
    with owner_connection() as control:
        lost = {name for (name,) in control.execute(NAMES)} - _ready()
    return {"point": point, "killed": killed, "whole": is_whole and not lost}


def _ready() -> set[str]:
    with owner_connection() as control:
        return {home.name for home in ready_homes._list(control, "main")}


def main(tier: str) -> None:
    """Go from point to point until the building outlives them."""
    with owner_connection() as control:
        control.execute(WANTED)
    point, killed = 1, True
    while killed:
        outcome = kill_once(point, Tier(tier))
        killed = outcome["killed"]
        print(json.dumps(outcome), flush=True)
        point += 1


if __name__ == "__main__":
    with create_app(polls=False).app_context():
        main(sys.argv[1])
