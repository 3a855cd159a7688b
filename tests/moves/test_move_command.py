"""`flask tenant move`: for operators who script."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import TenantRoute, Tier
from app.moves import commands
from app.web.hosts import Portal
from tests.moves.stock import make_stocked


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    return make_stocked("acme", Tier.POOL, "main")


def test_without_waiting_it_says_that_the_move_runs(app: Portal, acme: TenantRoute) -> None:
    result = app.test_cli_runner().invoke(args=["tenant", "move", "acme", "--tier", "schema"])
    assert (result.exit_code, result.output) == (0, "acme goes from pool on main to schema on main: running.\n")


def test_it_does_not_wait_for_ever(app: Portal, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "WAIT_SECONDS", 0.1)
    result = app.test_cli_runner().invoke(args=["tenant", "move", "acme", "--tier", "schema", "--wait"])
    assert (result.exit_code, "still runs" in result.output) == (1, True)
