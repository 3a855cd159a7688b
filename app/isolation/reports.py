"""Reports: what a probe found, as the document that is signed, and as pages read it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from app.core.release import RELEASE
from app.isolation.canaries import Pair
from app.isolation.models import ProbeState
from app.isolation.outcomes import Outcome, Result

FORMAT = "tenantry.isolation-report"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Circumstances:
    """Whose report it is, and when it was made."""

    report_id: UUID
    instance: str
    started_at: datetime
    finished_at: datetime


def judge(results: Sequence[Result]) -> ProbeState:
    """Return how a probe ended: failed by one breach, passed only if every check ran and none failed."""
    outcomes = {result.outcome for result in results}
    if Outcome.FAILED in outcomes:
        return ProbeState.FAILED
    return ProbeState.PASSED if outcomes == {Outcome.PASSED} else ProbeState.INCOMPLETE


def render_document(circumstances: Circumstances, pair: Pair, results: Sequence[Result]) -> bytes:
    """Write a report as JSON, always in the same order: these bytes are signed and kept.

    Shape: UTF-8, keys sorted, no spaces; times in ISO 8601, UTC.
    """
    facts = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "id": str(circumstances.report_id),
        "instance": circumstances.instance,
        "product": f"tenantry {RELEASE}",
        "server": pair.server,
        "canaries": [str(pair.a.tenant_id), str(pair.b.tenant_id)],
        "started_at": circumstances.started_at.isoformat(),
        "finished_at": circumstances.finished_at.isoformat(),
        "result": judge(results).value,
        "checks": [result.as_facts() for result in results],
    }
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class Report:
    """A report as it is kept: the document's bytes, and what they say."""

    id: UUID
    document: bytes
    signature: bytes
    key_id: str

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Return what the document says."""
        found: dict[str, Any] = json.loads(self.document)
        return found

    @property
    def state(self) -> str:
        return str(self.facts["result"])

    @property
    def checks(self) -> list[dict[str, str]]:
        return list(self.facts["checks"])

    @property
    def checks_by_urgency(self) -> list[dict[str, str]]:
        """Return the checks, what failed first, then what could not run."""
        order = [Outcome.FAILED, Outcome.COULD_NOT_RUN, Outcome.PASSED]
        return sorted(self.checks, key=lambda check: order.index(Outcome(check["outcome"])))

    @property
    def started_at(self) -> datetime:
        return datetime.fromisoformat(self.facts["started_at"])

    @property
    def finished_at(self) -> datetime:
        return datetime.fromisoformat(self.facts["finished_at"])

    def count(self, outcome: str) -> int:
        """Count the checks that ended so."""
        return sum(check["outcome"] == outcome for check in self.checks)
