"""Probes in bad times: a killed worker, a server that is away, canaries that cannot be made, old reports."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from app.core import clock
from app.core.config import Settings
from app.core.database.server_urls import ServerUrls
from app.core.database.session import db, engines
from app.core.database.transactions import transaction
from app.core.job_names import JobName
from app.core.jobs import enqueue
from app.core.tenancy.scopes import DatabaseAddress, Login, platform_scope
from app.isolation import queries, services
from app.isolation.models import Probe, ProbeState
from app.plans.services import seed_catalogue
from app.web.hosts import Portal
from tests.factories import rows_of
from tests.isolation.probing import probe, request, see
from tests.operations.toys import expire_leases
from tests.servers import environment_of
from tests.servers.acts import add_annex
from tests.work import make_jobs_due, run_jobs


@pytest.mark.parametrize("check", ["rls.read", "http.foreign_ids"])
def test_a_killed_worker_s_probe_is_run_again(app: Portal, instance: Settings, check: str) -> None:
    probe()
    probe_id = request()
    command = [sys.executable, "-m", "tests.isolation.killed_probe", check]
    killed = subprocess.run(command, env=environment_of(instance), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert see(probe_id).state == ProbeState.RUNNING
    expire_leases()
    run_jobs(may_fail=True)
    make_jobs_due()
    run_jobs(may_fail=True)
    found = see(probe_id)
    assert (found.state, found.done_count) == (ProbeState.PASSED, found.total_count)


def test_a_server_that_is_away_is_unproven(app: Portal, annex: str, instance: Settings) -> None:
    add_annex()
    probe(annex)
    urls = ServerUrls(instance)
    given = {login: urls.get(login, DatabaseAddress(annex)) for login in Login}
    for login in Login:
        urls.write(annex, login, "postgresql://tenantry_x:x@127.0.0.1:1/none")
    engines().dispose()
    try:
        probe_id = request(annex)
        for _attempt in range(7):
            run_jobs(may_fail=True)
            make_jobs_due()
    finally:
        urls.replace(annex, given)
        engines().dispose()
    found = see(probe_id)
    assert (found.state, found.document) == (ProbeState.INCOMPLETE, None)
    assert "Unavailable" in found.error


def test_without_a_plan_canaries_cannot_be_made_and_the_probe_says_so(app: Portal) -> None:
    with platform_scope("test"):
        probe_id = services.request_probe("main", actor=services.ACTOR)
    for _attempt in range(7):
        run_jobs(may_fail=True)
        make_jobs_due()
    found = see(probe_id)
    assert found.state == ProbeState.INCOMPLETE
    assert "There is no plan yet" in found.error


def test_the_schedule_probes_every_server_and_forgets_old_reports(
    app: Portal, annex: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_annex()
    old = probe()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=401))
    with platform_scope("test"):
        asked = services.request_probes(actor=services.ACTOR)
        services.forget_old_probes()
        assert [queries.get_probe(probe_id).server for probe_id in asked] == ["main", annex]
    assert old.id not in {row.id for row in rows_of(Probe)}


def test_a_probe_that_hangs_ends_and_the_next_one_is_made(app: Portal) -> None:
    with platform_scope("test"), transaction():
        seed_catalogue()
        stuck = Probe(server="main", actor_label="test", created_at=clock.now() - timedelta(hours=2))
        db.session.add(stuck)
        enqueue(JobName.ISOLATION_REQUEST)
    run_jobs()
    first, second = sorted(rows_of(Probe), key=lambda row: row.created_at)
    assert (first.id, first.state, first.error) == (stuck.id, ProbeState.INCOMPLETE, services.NEVER_ENDED)
    assert second.state == ProbeState.PASSED


def test_a_server_without_a_recent_probe_is_unproven(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    def standing() -> str:
        with platform_scope("test"):
            return queries.list_standings(["main"])[0].key

    assert standing() == "unproven"
    probe()
    assert standing() == "proven"
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=4))
    assert standing() == "unproven"
