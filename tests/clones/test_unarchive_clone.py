"""Opening an archived clone again: its source never has more living clones than it may."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest

from app.audit.models import ControlAuditEvent
from app.core.errors import InputError
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.tenants.queries import count_living_clones
from app.tenants.services import unarchive_tenant
from app.web.hosts import Portal
from tests.clones.acts import read
from tests.factories import SETUP, actions_of, make_tenant, rows_of, while_uncommitted
from tests.page import PageClient
from tests.tenant_rows import insert_tenant, set_tenant

FULL = "Acme has 3 living clones, and 3 is the most that a tenant may have. Archive one of them first."
STATUSES = ("archived", "archived", "active", "suspended", "provisioning")


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    return make_tenant("acme")


@pytest.fixture
def clones(acme: TenantRoute) -> list[UUID]:
    """Two archived clones of Acme, and as many living ones as it may have."""
    made = [insert_tenant(f"copy-{number}", status=status) for number, status in enumerate(STATUSES)]
    for clone_id in made:
        set_tenant(clone_id, cloned_from_id=acme.tenant_id)
    return made


@pytest.fixture
def unarchive(app: Portal) -> Callable[..., tuple[int, str]]:
    """The command, as an operator runs it; answers with its exit code and all that it says."""

    def run(*words: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=["tenant", "unarchive", *words])
        return result.exit_code, result.output

    return run


def test_the_page_says_why_and_keeps_what_was_written(ada: PageClient, clones: list[UUID]) -> None:
    ada.get(f"/tenants/{clones[0]}/unarchival")
    ada.submit(f"/tenants/{clones[0]}/unarchival", reason="The training goes on.")
    assert (ada.status, FULL in ada.text) == (422, True)
    assert ada.select("textarea[name=reason]")[0].text.strip() == "The training goes on."
    assert read(clones[0]).status == "archived"
    set_tenant(clones[2], status="archived")
    ada.submit(f"/tenants/{clones[0]}/unarchival")
    assert (ada.status, read(clones[0]).status) == (200, "active")


def test_the_command_says_why(unarchive: Callable[..., tuple[int, str]], clones: list[UUID]) -> None:
    assert unarchive("copy-0") == (1, f"{FULL}\n")
    assert "tenant.unarchived" not in actions_of(rows_of(ControlAuditEvent))
    set_tenant(clones[4], status="failed")
    set_tenant(clones[4], status="deleting")
    assert unarchive("copy-0", "--reason", "The training goes on.") == (0, "copy-0 is active.\n")
    assert read(clones[0]).status_reason == "The training goes on."


def test_of_two_at_once_one_gets_the_last_place(app: Portal, acme: TenantRoute, clones: list[UUID]) -> None:
    set_tenant(clones[2], status="archived")
    first, second = (partial(unarchive_tenant, clone_id, actor=SETUP) for clone_id in clones[:2])
    refused = while_uncommitted(app, partial(platform_scope, "test"), first, second)
    assert isinstance(refused, InputError)
    assert str(refused) == FULL
    with platform_scope("test"):
        assert count_living_clones(acme.tenant_id) == 3


def test_the_source_itself_opens_whatever_its_clones_are(acme: TenantRoute, clones: list[UUID]) -> None:
    set_tenant(acme.tenant_id, status="archived")
    with platform_scope("test"):
        unarchive_tenant(acme.tenant_id, actor=SETUP)
    assert read(acme.tenant_id).status == "active"
