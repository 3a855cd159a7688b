"""Writing probes: asked for, made ready, run, judged, and forgotten when they are old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app.audit.services import record_event, unaudited
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import InputError
from app.core.ids import new_id
from app.core.job_names import JobName
from app.core.jobs import enqueue
from app.core.runtime import current_settings
from app.core.tenancy.scopes import platform_scope
from app.isolation import queries, signing
from app.isolation.canaries import Pair
from app.isolation.checks import TOTAL, run_checks
from app.isolation.models import Probe, ProbeState
from app.isolation.outcomes import Outcome, Result
from app.isolation.preparing import ACTOR, find_pair, prepare_pair
from app.isolation.reports import Circumstances, judge, render_document

STUCK_AFTER = timedelta(hours=1)
NEVER_ENDED = "It never came to its end; are the workers up?"
log = structlog.get_logger()


def request_probe(server: str, *, actor: Actor) -> UUID:
    """Have a server probed; while a probe of it is open, that one is the answer.

    Errors: InputError for a server that is not there or not ready.
    """
    if server not in queries.list_probed_servers():
        raise InputError(f"There is no server “{server}” that takes homes.", "server")
    with transaction():
        probe_id = _insert(server, actor)
        if probe_id is None:
            open_probe = queries.find_open_probe(server)
            return open_probe.id if open_probe is not None else request_probe(server, actor=actor)
        enqueue(JobName.ISOLATION_PROBE, {"probe_id": str(probe_id)}, key=str(probe_id))
        probe = queries.get_probe(probe_id)
        record_event(AuditAction.ISOLATION_PROBE_REQUESTED, target=probe.target, actor=actor)
    return probe_id


@unaudited("request_probe records an event a server")
def request_probes(*, actor: Actor) -> list[UUID]:
    """Have every server probed that takes homes."""
    return [request_probe(server, actor=actor) for server in queries.list_probed_servers()]


@unaudited("fail_probe records an event a probe")
def end_stuck_probes() -> None:
    """End probes that have been open for longer than any takes: one that hangs must not keep its server untried."""
    for probe_id in queries.list_stuck_probes(clock.now() - STUCK_AFTER):
        with transaction():
            fail_probe(probe_id, NEVER_ENDED)


@unaudited("housekeeping")
def forget_old_probes() -> None:
    """Delete probes with their reports when they are older than the setting says."""
    before = clock.now() - timedelta(days=current_settings().isolation_kept_days)
    with transaction():
        db.session.execute(delete(Probe).where(Probe.created_at < before))


def run_probe(probe_id: UUID) -> None:
    """Run every check on a probe's server and keep the signed report; a killed run begins anew.

    A server without canaries gets them first, by the worker that may build homes, and is probed after that.
    """
    server = _begin(probe_id)
    if server is None:
        return
    pair = find_pair(server)
    if pair is None:
        _ask_for_canaries(probe_id)
        return
    started_at = clock.now()
    results = run_checks(pair, lambda result: _note_progress(probe_id, result))
    _end(probe_id, pair, results, started_at)


def prepare_canaries(probe_id: UUID) -> None:
    """Make what a probe's server lacks, and let the probe go on."""
    with platform_scope("isolation canaries"):
        server = queries.get_probe(probe_id).server
    prepare_pair(server)
    with platform_scope("isolation canaries"), transaction():
        probe = queries.get_probe(probe_id)
        enqueue(JobName.ISOLATION_PROBE, {"probe_id": str(probe_id)}, key=f"{probe_id}-prepared")
        record_event(AuditAction.ISOLATION_PREPARED, target=probe.target, actor=ACTOR)


def fail_probe(probe_id: UUID, error: str) -> None:
    """End a probe that could not be run to its end, in the open transaction: nothing is proven."""
    probe = queries.get_probe(probe_id, lock=True)
    if probe.is_open:
        probe.state, probe.error, probe.finished_at = ProbeState.INCOMPLETE, error, clock.now()
        log.error("isolation_unproven", server=probe.server, probe_id=str(probe.id))
        record_event(AuditAction.ISOLATION_UNPROVEN, target=probe.target, actor=ACTOR, reason=error)


def _insert(server: str, actor: Actor) -> UUID | None:
    """Write a waiting probe, unless one of the server is open; whoever else writes one now is waited for."""
    row = insert(Probe).values(
        id=new_id(), server=server, state=ProbeState.WAITING.value, actor_label=actor.label, done_count=0,
        total_count=TOTAL, failed_count=0, created_at=clock.now(),
    )  # fmt: skip
    return db.session.scalar(row.on_conflict_do_nothing().returning(Probe.id))


def _begin(probe_id: UUID) -> str | None:
    with platform_scope("isolation probe begins"), transaction():
        probe = queries.get_probe(probe_id, lock=True)
        if not probe.is_open:
            return None
        probe.state, probe.started_at = ProbeState.RUNNING, clock.now()
        probe.done_count = probe.failed_count = 0
        return probe.server


def _ask_for_canaries(probe_id: UUID) -> None:
    with platform_scope("isolation canaries"), transaction():
        queries.get_probe(probe_id, lock=True).state = ProbeState.WAITING
        enqueue(JobName.ISOLATION_PREPARE, {"probe_id": str(probe_id)}, key=str(probe_id))


def _note_progress(probe_id: UUID, result: Result) -> None:
    with platform_scope("isolation probe goes on"), transaction():
        probe = queries.get_probe(probe_id, lock=True)
        probe.done_count += 1
        probe.failed_count += result.outcome is Outcome.FAILED


def _end(probe_id: UUID, pair: Pair, results: Sequence[Result], started_at: datetime) -> None:
    key, settings = signing.load_signing_key(current_settings()), current_settings()
    with platform_scope("isolation probe ends"), transaction():
        probe = queries.get_probe(probe_id, lock=True)
        if not probe.is_open:
            return
        circumstances = Circumstances(probe.id, settings.base_domain, started_at, clock.now())
        probe.document = render_document(circumstances, pair, results)
        probe.signature, probe.key_id = key.sign(probe.document), signing.key_id(key.public_key())
        probe.state, probe.finished_at = judge(results), circumstances.finished_at
        _record(probe, results)


def _record(probe: Probe, results: Sequence[Result]) -> None:
    """Say what is news: every breach, each time that isolation could not be proven, and the first good end after."""
    bad = [result for result in results if result.outcome is not Outcome.PASSED]
    reason = "; ".join(f"{result.name}: {result.detail}" for result in bad)
    if probe.state == ProbeState.FAILED:
        log.error("isolation_breached", server=probe.server, checks=[result.name for result in bad])
        record_event(AuditAction.ISOLATION_BREACHED, target=probe.target, actor=ACTOR, reason=reason)
    elif probe.state == ProbeState.INCOMPLETE:
        log.error("isolation_unproven", server=probe.server, checks=[result.name for result in bad])
        record_event(AuditAction.ISOLATION_UNPROVEN, target=probe.target, actor=ACTOR, reason=reason)
    else:
        before = queries.find_latest_probe(probe.server, before=probe.created_at)
        if before is not None and not before.is_passed:
            record_event(AuditAction.ISOLATION_RECOVERED, target=probe.target, actor=ACTOR)
