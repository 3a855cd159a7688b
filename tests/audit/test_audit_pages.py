"""The audit pages: each portal sees its own events, narrowed by its address, with what they changed."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
import structlog

from app.audit import queries
from app.audit.models import ControlAuditEvent
from app.audit.services import Target, record_event
from app.core import clock
from app.core.actors import Actor, ActorKind
from app.core.audit_actions import AuditAction
from app.core.database.transactions import transaction
from app.core.ids import new_id
from app.core.tenancy.scopes import TenantRoute, platform_scope, tenant_scope
from tests.audit.conftest import ADA, BOB, record
from tests.factories import make_member, rows_of, sign_in
from tests.page import PageClient


def told(client: PageClient) -> list[str]:
    """Return the targets of the listed events."""
    rows = [row for row in client.select("#event-table tbody tr") if row.get("class") != "empty-row"]
    cells = [next(row.iter("div")) for row in rows]
    return [next(cell.iter("a"), cell).text or "" for cell in cells]


def export(client: PageClient, query: str = "") -> list[dict[str, str]]:
    text = client.get(f"/audit.csv{query}").response.get_data(as_text=True)
    return list(csv.DictReader(io.StringIO(text)))


def test_empty_pages_say_what_will_be_here(ada: PageClient, bob: PageClient) -> None:
    for client in (ada, bob):
        assert "No events yet" in client.get("/audit").text


def test_the_platform_sees_the_control_planes_events_only(ada: PageClient, bob: PageClient, acme: TenantRoute) -> None:
    record("in acme's home", acme)
    record("acme's plan", actor=ADA, tenant_id=acme.tenant_id)
    record("a staff user", actor=ADA)
    record("acme's name", acme, in_control=True)
    ada.get("/audit")
    assert told(ada) == ["acme's name", "a staff user", "acme's plan"]


def test_a_tenant_sees_its_home_and_what_the_platform_did_to_it_as_one_story(
    bob: PageClient, acme: TenantRoute, globex: TenantRoute
) -> None:
    record("one", acme, days_ago=4)
    record("two", actor=ADA, tenant_id=acme.tenant_id, days_ago=3)
    record("three", acme, days_ago=2)
    record("globex's home", globex)
    record("globex's plan", actor=ADA, tenant_id=globex.tenant_id)
    record("a staff user", actor=ADA)
    bob.get("/audit")
    assert told(bob) == ["three", "two", "one"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=ALPH", ["alpha"]),
        ("?q=lpha", []),
        ("?q=%25", []),
        ("?q=100%25", ["100%"]),
        ("?actor=BOB", ["alpha"]),
        ("?actor=ob", []),
        ("?action=tenant.suspended", ["100%"]),
        ("?action=nonsense", ["alpha", "100%"]),
        ("?tenant=acme", ["100%"]),
        ("?tenant=nobody", []),
        ("?since=tomorrow", ["alpha", "100%"]),
        ("?until=9999-12-31", ["alpha", "100%"]),
    ],
)
def test_search_and_filters_stand_in_the_address(
    ada: PageClient, acme: TenantRoute, query: str, found: list[str]
) -> None:
    record("100%", actor=ADA, action=AuditAction.TENANT_SUSPENDED, tenant_id=acme.tenant_id)
    record("alpha")
    ada.get(f"/audit{query}")
    assert told(ada) == found


def test_a_period_includes_its_first_and_its_last_day(bob: PageClient, acme: TenantRoute) -> None:
    for days_ago in (3, 2, 1, 0):
        record(str(days_ago), acme, days_ago=days_ago)
    day = [(clock.now() - timedelta(days=days)).date().isoformat() for days in range(4)]
    bob.get(f"/audit?since={day[2]}&until={day[1]}")
    assert told(bob) == ["1", "2"]


def test_a_request_id_finds_what_one_request_did(ada: PageClient) -> None:
    with structlog.contextvars.bound_contextvars(request_id="0196c1f2"):
        record("one")
    record("two")
    ada.get("/audit?q=0196c1f2")
    assert told(ada) == ["one"]


def test_an_id_finds_what_was_done_to_a_target_and_an_event_itself(ada: PageClient, acme: TenantRoute) -> None:
    record("one")
    record("two")
    one = next(event for event in rows_of(ControlAuditEvent) if event.target_label == "one")
    for some_id in (one.target_id, one.id):
        ada.get(f"/audit?q={some_id}")
        assert told(ada) == ["one"]
    ada.get(f"/audit?q={new_id()}")
    assert told(ada) == []


def test_a_target_leads_to_all_that_happened_to_it(bob: PageClient, acme: TenantRoute) -> None:
    record("someone")
    for label in ("before", "after a new name"):
        with tenant_scope(acme, reason="test"), transaction():
            record_event(AuditAction.MEMBER_INVITED, target=Target("member", acme.tenant_id, label), actor=BOB)
    with tenant_scope(acme, reason="test"), transaction():
        record_event(AuditAction.ROLES_CREATED, target=Target("roles", None, "Roles"), actor=BOB)
    links = bob.get("/audit").select("td[data-label=On] a")
    assert [link.text for link in links] == ["after a new name", "before"]
    bob.get(links[0].get("href") or "")
    assert told(bob) == ["after a new name", "before"]


def test_names_are_found_however_they_are_written(bob: PageClient, acme: TenantRoute) -> None:
    record("Großmarkt Zoe\u0308", acme, actor=Actor(ActorKind.MEMBER, "Çelik  Ann", new_id(), None))
    for query in ("q=GROSSMARKT%20zo\u00eb", "actor=çelik%20ann"):
        bob.get(f"/audit?{query}")
        assert len(told(bob)) == 1, query


def test_a_tenants_filter_leaves_what_staff_attach_to_it_as_well(ada: PageClient, acme: TenantRoute) -> None:
    with platform_scope("test"), transaction():
        target = Target("tenant", acme.tenant_id, "a note")
        record_event(AuditAction.TENANT_NOTED, target=target, actor=ADA)
    record("something else")
    ada.get("/audit?tenant=acme")
    assert told(ada) == ["a note"]


def test_a_row_opens_to_what_was_there_before_and_after(bob: PageClient, acme: TenantRoute) -> None:
    changes = {"time_zone": ("UTC", "Europe/Oslo"), "tags": ([], ["beta", "vip"]), "seats": (3, None)}
    record("Acme", acme, changes=changes, reason="They moved.")
    (row,) = bob.get("/audit").texts("#event-table tbody tr")
    for words in ("3 changes", "time zone UTC → Europe/Oslo", "tags – → beta, vip", "seats 3 → –", "They moved."):
        assert words in row


def test_the_address_of_staff_is_shown_to_staff_alone(ada: PageClient, bob: PageClient, acme: TenantRoute) -> None:
    record("one", actor=ADA, tenant_id=acme.tenant_id)
    record("two", actor=BOB, tenant_id=acme.tenant_id)
    ours, theirs = ada.get("/audit").text, bob.get("/audit").text
    assert ("192.0.2.7" in ours, "198.51.100.4" in ours) == (True, True)
    assert ("192.0.2.7" in theirs, "198.51.100.4" in theirs) == (False, True)
    assert [row["address"] for row in export(bob)] == ["198.51.100.4", ""]


def test_pages_of_both_tables_lead_on_and_back(
    bob: PageClient, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 2)
    for number in range(5):
        record(str(number), acme if number % 2 else None, tenant_id=acme.tenant_id)
    bob.get("/audit")
    seen = [told(bob)]
    while bob.select("[rel=next]"):
        bob.get(bob.select("[rel=next]")[0].get("href") or "")
        seen.append(told(bob))
    assert seen == [["4", "3"], ["2", "1"], ["0"]]
    bob.get(bob.select("[rel=prev]")[0].get("href") or "")
    assert told(bob) == ["2", "1"]


def test_the_export_holds_what_the_filters_leave(bob: PageClient, acme: TenantRoute) -> None:
    record("=cmd()", acme, changes={"name": ("A", "Ä")})
    record("two", actor=ADA, tenant_id=acme.tenant_id)
    (row,) = export(bob, "?actor=bob")
    assert (row["target"], row["changes"], row["tenant_id"]) == ("'=cmd()", '{"name": ["A", "Ä"]}', str(acme.tenant_id))


def test_the_platforms_export_goes_on_behind_its_first_batch(
    ada: PageClient, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "BATCH_ROWS", 1)
    for number in range(3):
        record(str(number))
    record("in acme's home", acme)
    assert [row["target"] for row in export(ada)] == ["2", "1", "0"]


def test_a_member_without_the_permission_is_refused(bob: PageClient, acme: TenantRoute) -> None:
    make_member(acme, "dora@acme.example")
    dora = sign_in(bob.client.application, "acme.localhost", "dora@acme.example")
    assert [dora.get(path).status for path in ("/audit", "/audit.csv")] == [403, 403]


def test_the_id_of_another_tenant_in_the_address_shows_nothing_of_it(
    bob: PageClient, acme: TenantRoute, globex: TenantRoute
) -> None:
    record("globex's plan", actor=ADA, tenant_id=globex.tenant_id)
    record("globex's home", globex)
    for tenant in (globex.tenant_id, "globex", new_id()):
        bob.get(f"/audit?tenant={tenant}")
        assert told(bob) == []
