"""`flask tenant move`: for operators who script."""

from __future__ import annotations

import json
import threading
import time

import pytest

from app.core.config import Settings
from app.core.tenancy.scopes import TenantRoute, Tier
from app.moves import commands
from app.web.hosts import Portal
from tests.moves.stock import make_stocked
from tests.tenant_rows import owner_connection, route_of
from tests.work import run_beside_workers


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


def test_it_waits_until_the_home_is_there(app: Portal, acme: TenantRoute, instance: Settings) -> None:
    code, output, errors = run_beside_workers(
        instance, "tenant", "move", "acme", "--tier", "schema", "--wait", "--json"
    )
    assert (code, json.loads(output)["state"], errors) == (0, "kept", "")
    assert route_of(acme.tenant_id).placement.tier is Tier.SCHEMA


def test_it_says_why_a_move_was_given_up(app: Portal, acme: TenantRoute) -> None:
    def give_up() -> None:
        with app.app_context(), owner_connection() as owner:
            while owner.execute("update control.moves set state = 'failed', error = 'No space.'").rowcount == 0:
                time.sleep(0.1)

    thread = threading.Thread(target=give_up)
    thread.start()
    result = app.test_cli_runner().invoke(args=["tenant", "move", "acme", "--tier", "schema", "--wait"])
    thread.join()
    assert (result.exit_code, "has not left: No space." in result.output) == (1, True)
