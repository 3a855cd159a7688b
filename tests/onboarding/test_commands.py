"""The commands that onboard a tenant and hand out its owner's link, for operators who script."""

from __future__ import annotations

import json
import threading
import time
from urllib.parse import urlsplit

import pytest

from app.audit.models import ControlAuditEvent
from app.core.actors import Actor
from app.core.ids import new_id
from app.core.tenancy.scopes import platform_scope
from app.onboarding import commands
from app.onboarding.provisioning import fail_tenant
from app.onboarding.services import onboard_tenant
from app.operations.kinds import StepInput
from app.plans.services import seed_catalogue
from app.tenants.models import Tenant
from app.tenants.queries import get_tenant_by_slug
from app.tenants.services import TenantDraft
from tests.factories import PASSWORD, browser, rows_of, use_cheap_passwords
from tests.work import run_beside_workers, run_jobs

CREATE = ["tenant", "create", "acme", "--name", "Acme", "--owner", "bob@acme.example"]


@pytest.fixture
def run(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    with platform_scope("test"):
        seed_catalogue()
    return lambda *words: app.test_cli_runner().invoke(args=list(words))


def test_create_prints_ids_state_and_link_as_json(run):
    result = run(*CREATE, "--plan", "team", "--json")
    assert result.exit_code == 0, result.output
    (tenant,) = rows_of(Tenant)
    assert json.loads(result.output) == {
        "id": str(tenant.id),
        "slug": "acme",
        "state": "provisioning",
        "link": "http://acme.localhost:8000/",
    }


def test_create_takes_the_rest_from_the_plan(run):
    run(*CREATE)
    (tenant,) = rows_of(Tenant)
    assert (tenant.region, tenant.time_zone, tenant.currency) == ("eu-central", "Europe/Berlin", "EUR")
    assert tenant.owner_name == "bob"


def test_create_waits_until_the_tenant_is_active(run, instance):
    code, output, errors = run_beside_workers(instance, *CREATE, "--wait", "--json")
    assert (code, json.loads(output)["state"]) == (0, "active"), errors


def test_create_says_that_provisioning_failed(app, run):
    def fail_at_once():
        time.sleep(0.3)
        with app.app_context(), platform_scope("test"):
            fail_tenant(StepInput(new_id(), get_tenant_by_slug("acme").id, {}), "The home broke.")

    thread = threading.Thread(target=fail_at_once)
    thread.start()
    result = run(*CREATE, "--wait")
    thread.join()
    assert result.exit_code == 1
    assert "The home broke." in result.stderr


def test_create_stops_waiting_when_nobody_works(run, monkeypatch):
    monkeypatch.setattr(commands, "WAIT_SECONDS", 0.3)
    result = run(*CREATE, "--wait")
    assert result.exit_code == 1
    assert "are the workers up" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tenant", "create", "admin", "--name", "A", "--owner", "a@b.example"], "reserved"),
        (["tenant", "create", "acme", "--name", "A", "--owner", "a@b.example", "--plan", "gold"], "no plan “gold”"),
        (["tenant", "create", "acme", "--name", "A", "--owner", "nobody"], "e-mail"),
        (["tenant", "owner-link", "nobody-here"], "no tenant"),
    ],
)
def test_bad_input_gets_one_clear_sentence_and_an_exit_code(run, words, sentence):
    result = run(*words)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert rows_of(Tenant) == []


def test_the_owners_link_lets_the_owner_in_and_voids_the_first_one(app, run):
    onboard()
    first, second = (json.loads(run("tenant", "owner-link", "acme", "--json").output)["link"] for _ in range(2))
    bob = browser(app, "acme.localhost")
    bob.get(first)
    assert bob.status in {404, 410}
    bob.get(second)
    bob.submit(urlsplit(second).path, password=PASSWORD, repeated=PASSWORD)
    assert bob.status == 200


def test_handing_out_the_owners_link_is_recorded_as_the_command(run):
    onboard()
    run("tenant", "owner-link", "acme")
    (event,) = [event for event in rows_of(ControlAuditEvent) if event.action == "tenant.owner_link_created"]
    assert (event.actor_kind, event.actor_label) == ("system", "command tenant owner-link")


def test_there_is_no_owners_link_before_the_home_is_there(run):
    run(*CREATE)
    result = run("tenant", "owner-link", "acme")
    assert result.exit_code == 1
    assert "no home yet" in result.stderr


def onboard():
    with platform_scope("test"):
        draft = TenantDraft("Acme", "acme", "Bob", "bob@acme.example", "team")
        onboard_tenant(draft, actor=Actor.system("test"))
    run_jobs()
