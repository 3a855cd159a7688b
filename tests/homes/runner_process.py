"""A worker of its own, to be killed: `python -m tests.homes.runner_process <migrations> <operation> [after batch]`.

With a number it dies by itself once so many batches of homes are migrated, before what became of them is written.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from uuid import UUID

from app import create_app
from app.homes import run_records, run_steps
from app.operations.runner import run_operation
from tests.homes.releases import use_release


def die_after(batches: int) -> None:
    """Let this process die before it writes down a batch of homes."""
    record, count = run_records.record_outcomes, 0

    def trapped(*arguments: object) -> None:
        nonlocal count
        count += 1
        if count == batches:
            os.kill(os.getpid(), signal.SIGKILL)
        record(*arguments)

    run_records.record_outcomes = trapped


if __name__ == "__main__":
    run_steps.BATCH = 2
    if len(sys.argv) > 3:
        die_after(int(sys.argv[3]))
    with use_release(Path(sys.argv[1])), create_app(polls=False).app_context():
        run_operation(UUID(sys.argv[2]))
