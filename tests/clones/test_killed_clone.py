"""A cloner killed at any statement: the clone is made all the same, each row once, and the source never notices."""

from __future__ import annotations

import pytest

from app.core.config import Settings
from app.web.hosts import Portal
from tests.kills import outcomes_of

WHOLE = {"status": "active", "settings": 0, "members": 1, "cloned_events": 1, "untouched": True}
SWEEPS = [("pool", "main", 31), ("schema", "annex", 23), ("database", "annex", 37)]


@pytest.mark.parametrize(("tier", "server", "stride"), SWEEPS)
def test_a_kill_at_any_statement_costs_nothing(
    app: Portal, annex: str, instance: Settings, *, tier: str, server: str, stride: int
) -> None:
    outcomes = outcomes_of("tests.clones.kills", instance, tier, server, stride)
    assert sum(outcome["killed"] for outcome in outcomes) >= 2
    assert [outcome for outcome in outcomes if not (WHOLE | {"tier": tier}).items() <= outcome.items()] == []
