"""Kill the mover at one statement after another of the owner's: `python -m tests.moves.kills TIER SERVER STRIDE`.

For each point a tenant of its own: a forked worker moves its home until it kills itself there, a second one does what
is left, a third takes the move back. One JSON line a point says what came of it; the last is the first point that no
statement reached.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import psycopg

from app import create_app
from app.core.tenancy.scopes import Tier, find_scope, platform_scope
from app.moves import services
from app.moves.queries import get_move
from tests.factories import SETUP
from tests.moves.stock import make_stocked, rows_at
from tests.operations.kills import in_child
from tests.operations.toys import expire_leases
from tests.servers.acts import add_annex
from tests.tenant_rows import route_of
from tests.work import make_jobs_due, run_jobs


def arm(point: int) -> None:
    """Let this process die before the owner's statement number `point`, counted outside of every scope."""
    execute, count = psycopg.Connection.execute, 0

    def trapped(self: psycopg.Connection[Any], *given: Any, **more: Any) -> Any:
        nonlocal count
        count += find_scope() is None
        if count == point and find_scope() is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(self, *given, **more)

    psycopg.Connection.execute = trapped  # type: ignore[method-assign]


def kill_once(point: int, tier: Tier, server: str) -> dict[str, Any]:
    """Move one home with a kill at one point, and again, and back; return what came of it."""
    tenant = make_stocked(f"t{point}", Tier.POOL, "main")
    before = rows_at(tenant, tenant.placement)
    with platform_scope("test"):
        move_id = services.start_move(tenant.tenant_id, tier=tier, server=server, actor=SETUP)
    killed = in_child(lambda: (arm(point), run_jobs(may_fail=True)))
    finish()
    moved = route_of(tenant.tenant_id)
    there = rows_at(moved, moved.placement) == before and moved.placement.tier == tier
    with platform_scope("test"):
        services.start_return(move_id, actor=SETUP)
    killed_back = in_child(lambda: (arm(point), run_jobs(may_fail=True)))
    finish()
    returned = route_of(tenant.tenant_id)
    with platform_scope("test"):
        state = get_move(move_id).state
    back = rows_at(returned, returned.placement) == before and returned.placement.tier == Tier.POOL
    return {"point": point, "killed": killed or killed_back, "there": there, "back": back, "state": state}


def finish() -> None:
    """Let a second worker do what is left."""
    expire_leases()
    make_jobs_due()
    in_child(lambda: run_jobs(may_fail=True))
    make_jobs_due()
    in_child(run_jobs)


def main(tier: str, server: str, stride: str) -> None:
    """Go from point to point until the move outlives them."""
    point, killed = 1, True
    while killed:
        outcome = kill_once(point, Tier(tier), server)
        killed = outcome["killed"]
        print(json.dumps(outcome), flush=True)
        point += int(stride)


if __name__ == "__main__":
    with create_app(polls=False).app_context():
        add_annex()
        main(*sys.argv[1:])
