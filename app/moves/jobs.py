"""The job that ends moves whose old home has been kept long enough."""

from __future__ import annotations

from typing import Any

from app.core.job_names import JobName
from app.core.jobs import job
from app.moves.services import finish_overdue_moves


@job(JobName.MOVES_FINISH)
def finish(_payload: dict[str, Any]) -> None:
    """Start dropping the old homes that are overdue."""
    finish_overdue_moves()
