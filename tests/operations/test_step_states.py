"""A step's states: what has committed is not taken for running or failed by a runner that comes too late."""

from __future__ import annotations

import pytest

from app.core import clock
from app.operations.models import OperationStep, StepState


def step(state: StepState) -> OperationStep:
    return OperationStep(name="toy", position=1, title="Toy", state=state)


@pytest.mark.parametrize("late", [StepState.RUNNING, StepState.FAILED])
def test_a_done_step_stays_done_for_a_late_runner(late: StepState) -> None:
    done = step(StepState.DONE)
    done.change(late, clock.now(), "too late")
    assert (done.state, done.error, done.started_at, done.finished_at) == (StepState.DONE, None, None, None)


def test_a_done_step_is_taken_back() -> None:
    done, at = step(StepState.DONE), clock.now()
    done.change(StepState.COMPENSATED, at, None)
    assert (done.state, done.finished_at) == (StepState.COMPENSATED, at)


def test_a_step_that_runs_again_has_no_end_yet() -> None:
    failed, at = step(StepState.FAILED), clock.now()
    failed.finished_at = at
    failed.change(StepState.RUNNING, at, None)
    assert (failed.started_at, failed.finished_at, failed.seconds) == (at, None, None)
