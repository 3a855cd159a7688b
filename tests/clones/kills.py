"""Kill the cloner at one statement after another of the owner's: `python -m tests.clones.kills TIER SERVER STRIDE`.

For each point a source of its own: a forked worker clones it until it kills itself there, a second one does what is
left. One JSON line a point says what came of it; the last is the first point that no statement reached.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from app import create_app
from app.core.tenancy.scopes import Tier
from tests.clones.acts import ask
from tests.moves.kills import arm, finish
from tests.moves.stock import make_stocked, rows_at
from tests.operations.kills import in_child
from tests.servers.acts import add_annex
from tests.tenant_rows import route_of
from tests.work import run_jobs


def kill_once(point: int, tier: Tier, server: str) -> dict[str, Any]:
    """Clone one tenant with a kill at one point, and again; return what came of it."""
    source = make_stocked(f"t{point}", Tier.POOL, "main")
    before = rows_at(source, source.placement)
    clone_id = ask(source, slug=f"clone-{point}", tier=tier, server=server)
    killed = in_child(lambda: (arm(point), run_jobs(may_fail=True)))
    finish()
    made = route_of(clone_id)
    rows = rows_at(made, made.placement)
    return {
        "point": point,
        "killed": killed,
        "status": made.status,
        "settings": len(rows["settings"]) - len(before["settings"]),
        "members": len(rows["members"]) - len(before["members"]),
        "cloned_events": sum("tenant.cloned" in row for row in rows["audit_events"]),
        "untouched": rows_at(source, source.placement) == before,
    }


def main(tier: str, server: str, stride: str) -> None:
    """Go from point to point until the clone outlives them."""
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
