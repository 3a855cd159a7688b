"""A mover killed at any statement: the move ends, every row is there once, and the way back is open and as safe."""

from __future__ import annotations

import pytest

from app.core.config import Settings
from app.web.hosts import Portal
from tests.kills import outcomes_of


@pytest.mark.parametrize(("tier", "server", "stride"), [("schema", "annex", 47), ("database", "annex", 53)])
def test_a_kill_at_any_statement_costs_nothing(
    app: Portal, annex: str, instance: Settings, *, tier: str, server: str, stride: int
) -> None:
    outcomes = outcomes_of("tests.moves.kills", instance, tier, server, stride)
    assert sum(outcome["killed"] for outcome in outcomes) >= 4
    assert [outcome for outcome in outcomes if not (outcome["there"] and outcome["back"])] == []
    assert {outcome["state"] for outcome in outcomes} == {"returned"}
