"""The jobs of isolation: the schedule's, a probe itself, and making canaries, which needs the owner's login."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.actors import Actor
from app.core.job_names import JobName
from app.core.jobs import Queue, job
from app.isolation import services

MOST_ATTEMPTS = 3
# On a new instance the catalogue of plans may take a while to come.
MOST_PREPARATIONS = 6


def end_unproven(payload: dict[str, Any], error: str) -> None:
    """Tell that a probe could not be run."""
    services.fail_probe(UUID(payload["probe_id"]), error)


@job(JobName.ISOLATION_REQUEST)
def request(_payload: dict[str, Any]) -> None:
    """Have every server probed; end what hangs, and forget what is old."""
    services.end_stuck_probes()
    services.request_probes(actor=Actor.system("schedule"))
    services.forget_old_probes()


@job(JobName.ISOLATION_PROBE, enters_scope=False, on_failure=end_unproven, max_attempts=MOST_ATTEMPTS)
def probe(payload: dict[str, Any]) -> None:
    """Run a probe; each check enters the scope that it attacks from."""
    services.run_probe(UUID(payload["probe_id"]))


@job(
    JobName.ISOLATION_PREPARE,
    queue=Queue.OPERATIONS,
    enters_scope=False,
    on_failure=end_unproven,
    max_attempts=MOST_PREPARATIONS,
)
def prepare(payload: dict[str, Any]) -> None:
    """Make the canaries that a probe waits for."""
    services.prepare_canaries(UUID(payload["probe_id"]))
