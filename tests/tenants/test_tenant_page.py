"""A tenant's page: what its tabs show, and to whom."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.audit.queries import EventFilter, list_tenant_events
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.database.versions import newest_version
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.operations.models import Operation
from app.operations.services import start_operation
from app.tenants import services
from tests.factories import SETUP, make_tenant_rows
from tests.tenant_rows import owner_connection
from tests.tenants.registry import counted_statements, register

TABS = ["", "/status", "/metadata", "/operations", "/audit"]


def test_the_overview_shows_whom_to_contact_and_where_everything_is(ada):
    tenant_id = register("acme", tags=["vip"])
    ada.get(f"/tenants/{tenant_id}")
    for words in ("bob@example.com", "EU Central", "Starter", "vip", str(tenant_id), "Pool"):
        assert words in ada.text
    assert ada.select("a[href=http://acme.localhost:8000/]")


@pytest.mark.parametrize("version", ["0001", newest_version("tenant")])
def test_the_overview_shows_which_version_the_home_has(ada, version):
    tenant_id, newest = make_tenant_rows("acme").tenant_id, newest_version("tenant")
    set_pool_version(version)
    page = ada.get(f"/tenants/{tenant_id}")
    set_pool_version(newest)
    assert page.texts("a[href=/fleet/home?server=main&name=pool]") == [version]
    assert ("Not this release’s" in page.text) == (version != newest)


def set_pool_version(version):
    """Let routing believe that the main server's pool has a version."""
    with owner_connection() as connection:
        connection.execute("update control.home_versions set version = %s where server = 'main'", (version,))


def test_a_home_that_is_not_built_has_no_version(ada):
    tenant_id = register("acme")
    with owner_connection() as connection:
        connection.execute("update control.placements set tier = 'schema', schema_name = 't_acme'")
    assert "not built yet" in ada.get(f"/tenants/{tenant_id}").text


def test_facts_are_shown_with_their_time_and_unit(ada):
    route = make_tenant_rows("acme")
    with tenant_scope(route, reason="test"):
        services.publish_fact("members_count", 1_204)
        services.publish_fact("storage_bytes", 5 * 1024**3)
        services.publish_fact("last_sign_in_at", "2026-05-14T09:30:00+00:00")
    ada.get(f"/tenants/{route.tenant_id}")
    figures = dict(zip(ada.page.texts(".stat-label"), ada.page.texts(".stat-value"), strict=True))
    assert figures == {"Members": "1,204", "Storage": "5.0 GiB", "Last sign in": "14 May 2026, 09:30 UTC"}
    assert len(ada.select(".stat-as-of time")) == 3


def test_a_suspended_tenant_shows_why(ada):
    tenant_id = register("acme", status="suspended")
    assert "Why it is suspended set up" in ada.get(f"/tenants/{tenant_id}").text


def test_the_status_tab_tells_the_story_newest_first(ada):
    tenant_id = register("acme", status="suspended")
    page = ada.get(f"/tenants/{tenant_id}/status")
    assert page.texts(".story-title") == ["Suspended, was active", "Active, was provisioning", "Provisioning"]


def test_the_latest_operation_is_shown_live(ada):
    tenant_id = register("acme", status="provisioning")
    with platform_scope("test"):
        payload = {"owner_name": "Bob", "owner_email": "bob@example.com"}
        start_operation("onboarding.provision", tenant_id=tenant_id, payload=payload, actor=SETUP)
    page = ada.get(f"/tenants/{tenant_id}")
    assert "Provision tenant" in page.text
    assert page.select("#operation_progress[hx-trigger]")
    assert "Provision tenant" in ada.get(f"/tenants/{tenant_id}/operations").text


def test_operations_are_listed_a_page_at_a_time(ada):
    tenant_id = register("acme")
    with platform_scope("test"):
        add_operations(tenant_id, 51)
    page = ada.get(f"/tenants/{tenant_id}/operations")
    assert len(page.select("tbody tr")) == 50
    assert len(ada.get(page.select("#page-next")[0].get("href")).select("tbody tr")) == 1


def add_operations(tenant_id, count):
    """Add operations that have ended."""

    with transaction():
        for _ in range(count):
            operation = Operation(
                tenant_id=tenant_id, kind="x", state="done", payload={}, actor_label="x", total_count=1
            )
            db.session.add(operation)


@pytest.mark.parametrize("tab", TABS)
def test_support_may_read_every_tab_and_finds_no_form_on_it(sam, tab):
    tenant_id = register("acme", tags=["vip"])
    with platform_scope("test"):
        services.set_metadatum(tenant_id, "crm-id", "1", actor=SETUP)
        services.add_note(tenant_id, "Prefers calls.", actor=SETUP)
    page = sam.get(f"/tenants/{tenant_id}{tab}")
    assert page.status == 200
    assert [form.get("action") for form in page.select("main form")] == []


@pytest.mark.parametrize("tab", TABS)
def test_an_unknown_tenant_is_not_found(ada, tab):
    assert ada.get(f"/tenants/{uuid4()}{tab}").status == 404


def test_markup_in_a_name_is_shown_as_it_was_written(ada):
    tenant_id = register("acme", name="<img src=x onerror=alert(1)>")
    assert ada.get(f"/tenants/{tenant_id}").texts("h1") == ["<img src=x onerror=alert(1)>"]


def test_the_overview_asks_the_same_however_much_there_is(ada):
    few, many = register("acme"), register("globex", tags=[f"t{number}" for number in range(30)])
    with platform_scope("test"):
        add_operations(few, 1)
        add_operations(many, 20)
    with counted_statements() as asked_few:
        ada.get(f"/tenants/{few}")
    with counted_statements() as asked_many:
        ada.get(f"/tenants/{many}")
    assert len(asked_many) == len(asked_few)


def test_the_audit_tab_holds_this_tenants_events_only(ada):
    acme, globex = register("acme", tags=["vip"]), register("globex", tags=["beta"])
    page = ada.get(f"/tenants/{acme}/audit")
    assert {"Tenant tagged", "Tenant created"} <= set(page.texts("#events tbody th"))
    assert "beta" not in page.text
    assert "acme" not in ada.get(f"/tenants/{globex}/audit?tenant=acme").texts("#events td[data-label=On]")


def test_events_can_be_narrowed_to_one_actor_and_widened_again(ada):
    tenant_id = register("acme")
    page = ada.get(f"/tenants/{tenant_id}/audit?actor=nobody")
    assert "No event matches" in page.text
    assert page.select(f"a[href=/tenants/{tenant_id}/audit]")


def test_what_staff_note_about_a_tenant_is_not_in_the_tenants_own_audit(ada):
    route = make_tenant_rows("acme")
    with platform_scope("test"):
        services.add_tag(route.tenant_id, "churn-risk", actor=SETUP)
        services.set_metadatum(route.tenant_id, "score", "bad", actor=SETUP)
        services.add_note(route.tenant_id, "Pays late.", actor=SETUP)
        services.suspend_tenant(route.tenant_id, reason="Unpaid.", actor=SETUP)
    with tenant_scope(route, reason="test"):
        assert [event.action for event in list_tenant_events(EventFilter()).rows] == ["tenant.suspended"]
    shown = ada.get(f"/tenants/{route.tenant_id}/audit").texts("#events tbody th")
    assert shown == ["Tenant suspended", "Tenant noted", "Tenant metadata updated", "Tenant tagged"]
