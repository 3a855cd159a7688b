"""Provisioning: from a draft to an active tenant, once, whatever is killed on the way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.core.actors import Actor
from app.core.database.session import registry
from app.core.errors import NotFoundError, StateError
from app.core.ids import new_id
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.homes.services import create_home
from app.members.queries import find_member_by_email
from app.onboarding.services import onboard_tenant
from app.operations.queries import find_latest_operation
from app.plans.services import seed_catalogue
from app.tenants.queries import get_tenant
from app.tenants.services import TenantDraft
from tests.servers import environment_of
from tests.tenant_rows import insert_tenant
from tests.work import make_jobs_due, run_jobs

DRAFT = TenantDraft(
    name="Acme", slug="acme", owner_name="Bob", owner_email="Bob@Acme.example", plan="team", submission_key="form:1"
)
STEPS = ("home", "roles", "settings", "invitation", "activation")


def onboard(draft=DRAFT):
    with platform_scope("test"):
        seed_catalogue()
        return onboard_tenant(draft, actor=Actor.system("test"))


def status_of(tenant_id):
    with platform_scope("test"):
        return get_tenant(tenant_id).status, find_latest_operation(tenant_id).state


def invitations(app):
    mails = app.extensions["tenantry_settings"].mail_dir
    return [mail for mail in mails.glob("*.eml") if b"bob@acme.example" in mail.read_bytes()]


@pytest.fixture(autouse=True)
def _empty_mailbox(app):
    for mail in app.extensions["tenantry_settings"].mail_dir.glob("*.eml"):
        mail.unlink()


def test_a_draft_becomes_an_active_tenant_with_an_invited_owner(app):
    tenant_id = onboard()
    run_jobs()
    assert status_of(tenant_id) == ("active", "done")
    with tenant_scope(registry().find_route(tenant_id), reason="test"):
        assert find_member_by_email("bob@acme.example").state == "invited"
    assert len(invitations(app)) == 1


def test_the_same_form_sent_twice_makes_one_tenant(app):
    assert onboard() == onboard()


@pytest.mark.parametrize("moment", ["begin", "inside", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_in_any_step_leaves_a_tenant_that_ends_active_once(app, instance, step, moment):
    tenant_id = onboard()
    command = [sys.executable, "-m", "tests.onboarding.killed_worker", step, moment]
    done = subprocess.run(command, env=environment_of(instance), timeout=60, check=False, capture_output=True)
    assert done.returncode == -9, done.stderr.decode()[-2000:]
    expire_leases(instance)
    make_jobs_due()
    run_jobs()
    assert status_of(tenant_id) == ("active", "done")
    assert len(invitations(app)) == 1


def expire_leases(instance):
    """Let the dead worker's lease run out now instead of in fifteen seconds."""
    import psycopg

    with psycopg.connect(instance.database_url.get_secret_value()) as connection:
        connection.execute("update control.outbox set lease_until = now() - interval '1 second' where state <> 'done'")


def test_a_home_is_made_for_a_tenant_with_a_place_only(app):
    with pytest.raises(NotFoundError, match="no such tenant"):
        create_home(new_id())
    with pytest.raises(StateError, match="no place for a home"):
        create_home(insert_tenant("placeless"))
