"""What the tests of live evidence do again and again: probe a server, read what came of it."""

from __future__ import annotations

from uuid import UUID

from app.core.tenancy.scopes import platform_scope
from app.isolation import queries, services
from app.isolation.canaries import Pair
from app.isolation.models import Probe
from app.isolation.preparing import find_pair
from app.isolation.reports import Report
from app.plans.services import seed_catalogue
from tests.factories import SETUP
from tests.work import run_jobs


def request(server: str = "main") -> UUID:
    """Ask for a probe; it waits for a worker."""
    with platform_scope("test"):
        seed_catalogue()
        return services.request_probe(server, actor=SETUP)


def see(probe_id: UUID) -> Probe:
    """Return a probe as it is now."""
    with platform_scope("test"):
        return queries.get_probe(probe_id)


def probe(server: str = "main") -> Report:
    """Probe a server and return the report."""
    probe_id = request(server)
    run_jobs()
    with platform_scope("test"):
        return queries.get_report(probe_id)


def bad_checks(report: Report) -> dict[str, str]:
    """Return each check that has not passed, with how it ended."""
    return {check["name"]: check["outcome"] for check in report.checks if check["outcome"] != "passed"}


def pair_of(server: str = "main") -> Pair:
    """Return a server's canaries; they exist."""
    pair = find_pair(server)
    assert pair is not None
    return pair
