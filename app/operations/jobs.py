"""The job that runs an operation, and what happens when its attempts are used up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.job_names import JobName
from app.core.jobs import Queue, job
from app.operations.runner import fail_operation, run_operation


def fail(payload: dict[str, Any], error: str) -> None:
    """End the operation as failed."""
    fail_operation(UUID(payload["operation_id"]), error)


@job(JobName.OPERATIONS_RUN, queue=Queue.OPERATIONS, enters_scope=False, runs_suspended=True, on_failure=fail)
def run(payload: dict[str, Any]) -> None:
    """Run an operation to its end; the runner enters a scope a step."""
    run_operation(UUID(payload["operation_id"]))
