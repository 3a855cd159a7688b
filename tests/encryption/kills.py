"""Kill a rotation before one commit and after the next: `python -m tests.encryption.kills PURPOSE`.

For each point a tenant of its own, with the tables of pen friends that the test has made: a forked worker rotates until
it kills itself there, and the program does what is left. One JSON line a point says what came of it.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from typing import Any

from sqlalchemy import select

from app import create_app
from app.core.actors import Actor
from app.core.database.session import db
from app.core.encryption.keys import KeyPurpose, key_source
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.encryption import key_store, resealing, services
from app.encryption.queries import list_data_keys
from app.operations.queries import get_operation
from tests.encryption.pen_friends import PenFriend, add, find
from tests.kills import finish, in_child
from tests.operations.kills import COUNTED, arm
from tests.tenant_rows import make_tenant_rows
from tests.work import run_jobs

EMAILS = [f"{number}@acme.example" for number in range(5)]
STRIDE = 5
OF_ROTATIONS = (*COUNTED, "keys", "fields", "blind-index", "older")


def kill_once(purpose: KeyPurpose, point: int, side: str) -> dict[str, Any]:
    """Rotate one key with a kill at one point, and again; return what came of it."""
    route = make_tenant_rows(f"t{point}-{side}")
    for email in EMAILS:
        add(route, email=email)
    with platform_scope("test"):
        operation_id = services.start_rotation(route.tenant_id, purpose, actor=Actor.system("test"))
    killed = in_child(lambda: (arm(point, side, OF_ROTATIONS), run_jobs(may_fail=True)))
    finish()
    key_source().forget()
    with platform_scope("test"):
        state = get_operation(operation_id).state
        keys = {row.version: row.state for row in list_data_keys(route.tenant_id) if row.purpose == purpose}
    with tenant_scope(route, reason="test"):
        friends = db.session.scalars(select(PenFriend).order_by(PenFriend.id)).all()
        emails, found = [friend.email for friend in friends], [find(email) is not None for email in EMAILS]
    behind = resealing.count_behind(route.tenant_id, purpose)
    return {
        "point": point,
        "side": side,
        "killed": killed,
        "outcome": {"state": state, "keys": keys, "emails": emails, "found": found, "behind": behind},
    }


def main(purpose: KeyPurpose) -> None:
    """Go from point to point until the rotation outlives them."""
    key_store.FRESH_SECONDS, resealing.BATCH_ROWS = 0.05, 2
    for side, first in (("before", 2), ("after", 1)):
        for point in count(first, STRIDE):
            outcome = kill_once(purpose, point, side)
            print(json.dumps(outcome), flush=True)
            if not outcome["killed"]:
                break


if __name__ == "__main__":
    with create_app(polls=False).app_context():
        main(KeyPurpose(sys.argv[1]))
