"""`flask tenant clone`: for operators who script."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.clones import commands, copying
from app.core import clock
from app.core.config import Settings
from app.core.errors import StateError
from app.core.tenancy.scopes import TenantRoute, Tier, platform_scope
from app.tenants.models import Tenant
from app.tenants.queries import get_tenant_by_slug
from app.web.hosts import Portal
from tests.moves.stock import make_stocked
from tests.servers import environment_of
from tests.tenant_rows import insert_tenant, route_of
from tests.work import make_jobs_due, run_jobs

NAMED = ("tenant", "clone", "acme", "acme-copy", "--name", "Acme copy")


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    return make_stocked("acme", Tier.POOL, "main")


def run(app: Portal, *more: str) -> Any:
    return app.test_cli_runner().invoke(args=[*NAMED, *more])


def made() -> Tenant:
    with platform_scope("test"):
        return get_tenant_by_slug("acme-copy")


def test_without_waiting_it_says_that_the_clone_is_being_made(app: Portal, acme: TenantRoute) -> None:
    result = run(app)
    said = "acme-copy, a clone of acme, is provisioning: http://acme-copy.localhost:8000/\n"
    assert (result.exit_code, result.output) == (0, said)
    run_jobs()
    tenant = made()
    assert (tenant.status, tenant.owner_name, tenant.owner_email) == ("active", "Bob", "bob@example.com")
    assert tenant.expires_on == clock.now().date() + timedelta(days=30)


def test_everything_can_be_named(app: Portal, acme: TenantRoute) -> None:
    result = run(
        app, "--owner", "eve@copy.example", "--owner-name", "Eve Adams", "--tier", "schema", "--server", "main",
        "--expires-on", "never", "--keep-names", "--json",
    )  # fmt: skip
    facts = json.loads(result.output)
    run_jobs()
    tenant = made()
    assert facts == {
        "id": str(tenant.id), "slug": "acme-copy", "state": "provisioning",
        "link": "http://acme-copy.localhost:8000/", "expires_on": None,
    }  # fmt: skip
    assert (tenant.owner_name, tenant.expires_on) == ("Eve Adams", None)
    assert route_of(tenant.id).placement.tier == "schema"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--expires-on", "soon"], "Write the day as 2026-12-24, or never."),
        (["--expires-on", "2020-01-01"], "Choose a day from tomorrow on"),
        (["--server", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_sentence(app: Portal, acme: TenantRoute, more: list[str], says: str) -> None:
    result = run(app, *more)
    assert (result.exit_code, says in result.output, result.output.count("\n")) == (1, True, 1)


def test_a_tenant_without_a_place_is_no_source(app: Portal) -> None:
    insert_tenant("acme", status="failed")
    assert "no home to copy" in run(app).output


def run_beside(instance: Settings, work: Callable[[], object]) -> tuple[int, str]:
    """Run the command that waits in a process of its own, as an operator does, and the jobs here."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *NAMED, "--wait"]
    environment = environment_of(instance)
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        while process.poll() is None:
            work()
            time.sleep(0.1)
        return process.returncode, process.stdout.read()


def test_it_waits_until_the_clone_works(acme: TenantRoute, instance: Settings) -> None:
    code, output = run_beside(instance, run_jobs)
    assert (code, "is active" in output) == (0, True), output


def test_it_says_why_a_clone_was_given_up(
    acme: TenantRoute, instance: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_way: object) -> None:
        raise StateError("the disk is full")

    monkeypatch.setattr(copying, "check", fail)
    code, output = run_beside(instance, lambda: (make_jobs_due(), run_jobs(may_fail=True)))
    assert (code, "given up, and nothing of it is left: " in output) == (1, True), output
    assert "the disk is full" in output


def test_it_does_not_wait_for_ever(app: Portal, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "WAIT_SECONDS", 0.1)
    result = run(app, "--wait")
    assert (result.exit_code, "still being made" in result.output) == (1, True)
