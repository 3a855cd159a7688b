"""Kill the mover at one statement after another, on the way there and back: `python -m tests.moves.kills`."""

from __future__ import annotations

from app.core.tenancy.scopes import Tier, platform_scope
from app.moves import services
from app.moves.queries import get_move
from tests.factories import SETUP
from tests.kills import Outcome, finish, kill_worker, sweep
from tests.moves.stock import make_stocked, rows_at
from tests.tenant_rows import route_of


def kill_once(point: int, tier: Tier, server: str) -> Outcome:
    """Move one home with a kill at one point, and again, and back; return what came of it."""
    tenant = make_stocked(f"t{point}", Tier.POOL, "main")
    before = rows_at(tenant, tenant.placement)
    with platform_scope("test"):
        move_id = services.start_move(tenant.tenant_id, tier=tier, server=server, actor=SETUP)
    killed = kill_worker(point)
    finish()
    moved = route_of(tenant.tenant_id)
    there = rows_at(moved, moved.placement) == before and moved.placement.tier == tier
    with platform_scope("test"):
        services.start_return(move_id, actor=SETUP)
    killed_back = kill_worker(point)
    finish()
    returned = route_of(tenant.tenant_id)
    with platform_scope("test"):
        state = get_move(move_id).state
    back = rows_at(returned, returned.placement) == before and returned.placement.tier == Tier.POOL
    return {"point": point, "killed": killed or killed_back, "there": there, "back": back, "state": state}


if __name__ == "__main__":
    sweep(kill_once)
