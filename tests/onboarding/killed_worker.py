"""A worker that kills itself at one point of one provisioning step: `python -m tests.onboarding.killed_worker`.

Arguments: the step's name, and the moment: `begin` (nothing done), `inside` (done, not committed) or `after`
(committed, not yet shown).
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from app import create_app
from app.operations import runner
from app.operations.kinds import Step, StepInput
from app.operations.models import StepState
from tests.work import run_jobs


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step_name: str, moment: str) -> None:
    """Put the trap into the runner of this process."""
    run_step, show = runner._run_step, runner._show

    def trapped(step: Step, given: StepInput) -> None:
        if step.name != step_name:
            run_step(step, given)
            return
        if moment == "begin":
            die()
        if moment == "inside":
            object.__setattr__(step, "run", _then_die(step.run))
        run_step(step, given)
        die()

    def shown(step: Step, given: StepInput, state: StepState, **more: Any) -> None:
        if step.name == step_name and moment == "after" and state is StepState.DONE:
            die()
        show(step, given, state, **more)

    runner._run_step, runner._show = trapped, shown


def _then_die(run: Any) -> Any:
    def run_then_die(given: StepInput) -> None:
        run(given)
        die()

    return run_then_die


if __name__ == "__main__":
    arm(sys.argv[1], sys.argv[2])
    with create_app(polls=False).app_context():
        run_jobs(may_fail=True)
