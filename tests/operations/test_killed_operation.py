"""A runner killed before or after any commit: the operation ends, and each effect is there exactly once."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from app.core.config import Settings
from app.web.hosts import Portal
from tests.operations.toys import SCOPES
from tests.servers import environment_of


def outcomes(instance: Settings, direction: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.operations.kills", direction]
    done = subprocess.run(command, env=environment_of(instance), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_kill_at_any_commit_leaves_every_effect_once(app: Portal, instance: Settings) -> None:
    found = outcomes(instance, "forward")
    assert sum(outcome["killed"] for outcome in found) >= 15
    assert {(outcome["state"], outcome["done_count"]) for outcome in found} == {("done", 6)}
    assert [outcome for outcome in found if outcome["effects"] != list(SCOPES)] == []
    assert {state for outcome in found for state in outcome["steps"]} == {"done"}


def test_a_kill_at_any_commit_of_taking_back_undoes_everything_once(app: Portal, instance: Settings) -> None:
    found = outcomes(instance, "back")
    undone = ["undo annex", "undo fill", "undo home", "undo first", "compensated"]
    assert sum(outcome["killed"] for outcome in found) >= 10
    assert {(outcome["state"], outcome["done_count"]) for outcome in found} == {("compensated", 0)}
    assert [outcome for outcome in found if outcome["effects"] != undone] == []
    assert {state for outcome in found for state in outcome["steps"]} == {"compensated"}
