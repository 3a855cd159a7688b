"""Kill the runner before one commit and after the next: `python -m tests.operations.kills forward|back`.

For each point a tenant of its own: a forked worker runs the operation until it kills itself there, a second one runs
what is left. One JSON line a point says what came of it; the last point is the first that no commit reached.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from itertools import count
from typing import Any

from app import create_app
from app.core.database.dialect import TenantryDialect
from app.core.tenancy.scopes import current_scope, platform_scope
from app.operations.services import compensate_operation
from tests.kills import in_child
from tests.operations.toys import ADA, effects, expire_leases, fail, get, start, steps_of
from tests.tenant_rows import make_tenant_rows
from tests.work import make_jobs_due, run_jobs

COUNTED = ("job", "operation", "step", "undo")


def arm(point: int, side: str, counted: tuple[str, ...] = COUNTED) -> None:
    """Let this process die before or after its commit number `point`, counted in scopes whose reason begins so."""
    commit, count = TenantryDialect.do_commit, 0

    def trapped(self: TenantryDialect, connection: Any) -> None:
        nonlocal count
        count += current_scope().reason.startswith(counted)
        dies = count == point and current_scope().reason.startswith(counted)
        if dies and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self, connection)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)

    TenantryDialect.do_commit = trapped  # type: ignore[method-assign]


def kill_once(direction: str, point: int, side: str) -> dict[str, Any]:
    """Run one operation with a kill at one point, and again; return what came of it."""
    route = make_tenant_rows(f"t{point}-{side}-{direction}")
    if direction == "forward":
        operation_id = start(route)
    else:
        operation_id = fail(route, "last")
        with platform_scope("test"):
            compensate_operation(operation_id, actor=ADA)
    before = len(effects(route))
    killed = in_child(lambda: (arm(point, side), run_jobs(may_fail=True)))
    expire_leases()
    make_jobs_due()
    in_child(run_jobs)
    return {
        "point": point,
        "side": side,
        "killed": killed,
        "state": get(operation_id).state,
        "done_count": get(operation_id).done_count,
        "steps": [step.state for step in steps_of(operation_id)],
        "effects": effects(route)[before:],
    }


def main(direction: str) -> None:
    """Go from point to point until the operation outlives them."""
    # After one commit and before the next is nearly the same moment: the two sides take turns.
    for side, first in (("before", 2), ("after", 1)):
        for point in count(first, 2):
            outcome = kill_once(direction, point, side)
            print(json.dumps(outcome), flush=True)
            if not outcome["killed"]:
                break


if __name__ == "__main__":
    with create_app(polls=False).app_context():
        main(sys.argv[1])
