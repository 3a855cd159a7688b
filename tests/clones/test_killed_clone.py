"""A cloner killed at any statement: the clone is made all the same, each row once, and the source never notices."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from app.core.config import Settings
from app.web.hosts import Portal
from tests.servers import environment_of

WHOLE = {"status": "active", "settings": 0, "members": 1, "cloned_events": 1, "untouched": True}


@pytest.mark.parametrize(("tier", "server", "stride"), [("pool", "main", 31), ("schema", "annex", 23)])
def test_a_kill_at_any_statement_costs_nothing(
    app: Portal, annex: str, instance: Settings, *, tier: str, server: str, stride: int
) -> None:
    command = [sys.executable, "-m", "tests.clones.kills", tier, server, str(stride)]
    done = subprocess.run(command, env=environment_of(instance), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(outcome["killed"] for outcome in outcomes) >= 2
    assert [outcome for outcome in outcomes if not WHOLE.items() <= outcome.items()] == []
