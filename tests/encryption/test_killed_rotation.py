"""A rotation killed before or after its commits: it ends all the same, every value opens and is found."""

from __future__ import annotations

import pytest

from app.core.config import Settings
from tests.encryption.kills import EMAILS
from tests.kills import outcomes_of

WHOLE = {
    "state": "done",
    "keys": {"1": "retired", "2": "active"},
    "emails": EMAILS,
    "found": [True] * len(EMAILS),
    "behind": 0,
}


@pytest.mark.usefixtures("app", "tables")
@pytest.mark.parametrize("purpose", ["fields", "blind-index"])
def test_a_kill_between_any_two_commits_costs_nothing(instance: Settings, purpose: str) -> None:
    found = outcomes_of("tests.encryption.kills", instance, purpose)
    assert sum(outcome["killed"] for outcome in found) >= 6
    assert [outcome for outcome in found if outcome["outcome"] != WHOLE] == []
