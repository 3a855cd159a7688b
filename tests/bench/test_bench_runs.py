"""The benchmark still runs; what it measures is never a test's business."""

from __future__ import annotations

import json

import pytest

from tests.bench import __main__ as bench
from tests.bench.figures import Figure


def test_the_cheapest_figure_is_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--tiny", "--only", "tenancy_round_trips"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["figure"] == "tenancy_round_trips"
    assert found["statements"] == 5
    assert {"value", "unit", "spread", "machine"} <= found.keys()


def test_the_page_without_tenancy_is_still_the_products(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--tiny", "--only", "web_worker_mb"]) == 0  # It compares the two pages before it measures them.
    assert json.loads(capsys.readouterr().out)["value"] > 0


def test_a_figure_that_nobody_measures_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--only", "no_such_figure"]) == 2
    assert "tenancy_round_trips" in capsys.readouterr().err


def test_a_figure_of_rounds_is_their_median_between_the_least_and_the_most() -> None:
    found = Figure.of_rounds("toy", [3.0, 1.0, 2.0], "ms")
    assert (found.value, found.spread) == (2.0, (1.0, 3.0))


def test_a_fleet_is_migrated_and_then_found_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--tiny", "--only", "migrate_noop_1000_seconds"]) == 0
    assert json.loads(capsys.readouterr().out)["homes"] == 4
