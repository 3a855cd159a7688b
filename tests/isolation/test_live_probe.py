"""A probe tries every wall on a real server, keeps a signed report and leaves no trace."""

from __future__ import annotations

import json

import pytest

from app.audit.models import ControlAuditEvent
from app.core.audit_actions import AuditAction
from app.core.config import Settings
from app.isolation import services, signing
from app.isolation.checks import TOTAL
from app.isolation.models import ProbeState
from app.members.models import MemberSession
from app.web.hosts import Portal
from tests.factories import actions_of, rows_of
from tests.isolation.probing import bad_checks, pair_of, probe, request, see
from tests.servers.acts import add_annex
from tests.work import run_jobs


@pytest.mark.parametrize("server", ["main", "annex"])
def test_a_probe_passes_on_every_server(app: Portal, annex: str, server: str, instance: Settings) -> None:
    add_annex()
    report = probe(server)
    assert bad_checks(report) == {}
    assert (report.state, len(report.checks), report.facts["server"]) == ("passed", TOTAL, server)
    assert signing.is_valid(signing.load_signing_key(instance).public_key(), report.document, report.signature)


def test_a_report_never_holds_what_was_planted(app: Portal) -> None:
    report, pair = probe(), pair_of()
    assert pair.a.planted.encode() not in report.document
    assert pair.b.planted.encode() not in report.document
    assert set(report.facts["canaries"]) == {str(pair.a.tenant_id), str(pair.b.tenant_id)}


def test_a_report_is_canonical_json(app: Portal) -> None:
    report = probe()
    again = json.dumps(json.loads(report.document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert again.encode() == report.document


def test_a_probe_leaves_no_session_behind(app: Portal) -> None:
    probe()
    for canary in (pair_of().a, pair_of().b):
        assert rows_of(MemberSession, canary.route) == []


def test_a_second_probe_uses_the_same_canaries(app: Portal) -> None:
    first, second = probe(), probe()
    assert first.id != second.id
    assert first.facts["canaries"] == second.facts["canaries"]


def test_two_probes_at_once_are_one(app: Portal) -> None:
    first, second = request(), request()
    assert first == second
    run_jobs()
    assert see(first).state == ProbeState.PASSED


def test_a_probe_that_has_ended_is_not_run_again(app: Portal) -> None:
    report = probe()
    services.run_probe(report.id)
    assert see(report.id).document == report.document


def test_asking_and_making_canaries_are_events(app: Portal) -> None:
    probe()
    assert actions_of(rows_of(ControlAuditEvent)) == [
        AuditAction.ISOLATION_PROBE_REQUESTED,
        AuditAction.ISOLATION_PREPARED,
    ]
