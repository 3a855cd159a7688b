"""Kill the cloner at one statement after another: `python -m tests.clones.kills`."""

from __future__ import annotations

from app.core.tenancy.scopes import Tier
from tests.clones.acts import ask
from tests.kills import Outcome, finish, kill_worker, sweep
from tests.moves.stock import make_stocked, rows_at
from tests.tenant_rows import route_of


def kill_once(point: int, tier: Tier, server: str) -> Outcome:
    """Clone one tenant with a kill at one point, and again; return what came of it."""
    source = make_stocked(f"t{point}", Tier.POOL, "main")
    before = rows_at(source, source.placement)
    clone_id = ask(source, slug=f"clone-{point}", tier=tier, server=server)
    killed = kill_worker(point)
    finish()
    made = route_of(clone_id)
    rows = rows_at(made, made.placement)
    return {
        "point": point,
        "killed": killed,
        "status": made.status,
        "tier": made.placement.tier,
        "settings": len(rows["settings"]) - len(before["settings"]),
        "members": len(rows["members"]) - len(before["members"]),
        "cloned_events": sum("tenant.cloned" in row for row in rows["audit_events"]),
        "untouched": rows_at(source, source.placement) == before,
    }


if __name__ == "__main__":
    sweep(kill_once)
