"""Audit lists over tens of thousands of events: what they ask is served by an index, whatever the filters leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg
import pytest

from app.audit import queries
from app.audit.queries import EventFilter
from app.core import clock
from app.core.config import Settings
from app.core.ids import new_id
from app.core.tenancy.scopes import TenantRoute, platform_scope, tenant_scope
from app.members.queries import list_member_events
from app.staff.queries import list_staff_events
from app.web.tables import Cursor, encode_cursor
from tests.audit import seed
from tests.audit.conftest import ADA
from tests.plans import Scan, database_of, scans_of

NAMED = "target_search", "request_id"
OF_AN_ID = "target_id", "pk", "request_id"
# What each filter is served by: the columns of its indexes.
SERVED_BY: dict[str, tuple[EventFilter, tuple[str, ...]]] = {
    "nothing": (EventFilter(), ("at",)),
    "a target's name": (EventFilter(text="M7@1.exam"), NAMED),
    "a proxy's request id": (EventFilter(text="req-12345678"), NAMED),
    "an id": (EventFilter(text=str(new_id())), OF_AN_ID),
    "an actor": (EventFilter(actor="m5@1.example"), ("actor_search",)),
    "a rare action": (EventFilter(action="tenant.deleted"), ("action",)),
    "a tenant": (EventFilter(about=UUID(int=1)), ("at", "target_id")),
    "a period": (EventFilter(since=clock.now() - timedelta(days=2), until=clock.now()), ("at",)),
    # What many events have in common is found among the newest ones.
    "a letter": (EventFilter(text="m"), ("at",)),
    "a busy actor": (EventFilter(actor=ADA.label), ("at",)),
}
EVERYTHING = EventFilter(text="m7", actor="ada", action="member.invited", since=clock.now() - timedelta(days=30))
FILTERS = [*(wanted for wanted, _ in SERVED_BY.values()), EventFilter(action="tenant.suspended"), EVERYTHING]


@pytest.fixture
def many(
    acme: TenantRoute,
    instance: Settings,
    superuser_url: str,
    superuser_of: Callable[[TenantRoute], psycopg.Connection],
) -> None:
    url = database_of(superuser_url, instance.database_url.get_secret_value())
    with psycopg.connect(url, autocommit=True) as control, superuser_of(acme) as home:
        seed.add_events(control, home, acme)


def places() -> Iterator[str | None]:
    """Yield the first page, one behind a place and one before it."""
    there = (clock.now() - timedelta(days=2), new_id())
    yield None
    yield from (encode_cursor(Cursor(there, backward=backward), "") for backward in (False, True))


def kinds_of(scans: list[Scan]) -> set[str]:
    """Return by which of a table's columns its events were found; the tenant before them goes without saying."""
    names = [f"{scan.index.removeprefix('ix_audit_events_').removeprefix('tenant_id_')}_" for scan in scans]
    known = ("at", "action", "actor_search", "request_id", "target_id", "target_search", "pk")
    return {next((kind for kind in known if name.startswith(f"{kind}_")), name) for name in names}


def test_every_filter_of_a_tenants_page_is_narrowed_to_the_tenant_inside_an_index(
    many: None, acme: TenantRoute
) -> None:
    with tenant_scope(acme, reason="test"):
        scans = [
            scan
            for wanted in FILTERS
            for place in places()
            for scan in scans_of(partial(queries.list_tenant_events, wanted, place))
        ]
    assert len(scans) > len(FILTERS) * 6
    # By the key of the control plane's table, which is an event's id alone, at most one row is looked at.
    assert {scan.index for scan in scans if not scan.is_narrowed_to_tenant} == {"pk_audit_events"}


def test_every_filter_of_the_platforms_page_has_its_index(many: None) -> None:
    with platform_scope("test"):
        for name, (wanted, kinds) in SERVED_BY.items():
            assert kinds_of(scans_of(partial(queries.list_events, wanted))) == set(kinds), name


def test_every_filter_of_a_tenants_page_has_its_index_in_the_home(many: None, acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="test"):
        for name in ("nothing", "a target's name", "an id", "an actor", "a rare action", "a period"):
            wanted, kinds = SERVED_BY[name]
            scans = scans_of(partial(queries.list_tenant_events, wanted))
            assert kinds_of([scan for scan in scans if scan.schema == acme.placement.schema]) == set(kinds), name


def test_every_page_of_every_filter_is_served_by_an_index(many: None) -> None:
    with platform_scope("test"):
        for wanted in FILTERS:
            for place in places():
                scans = scans_of(partial(queries.list_events, wanted, place))
                assert all(scan.index and (scan.condition or place is None) for scan in scans), (wanted, scans)


def test_the_history_of_one_person_is_found_by_their_id_in_its_order(many: None, acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="test"):
        [member] = scans_of(lambda: list_member_events(new_id()))
    with platform_scope("test"):
        [staff] = scans_of(lambda: list_staff_events(new_id()))
    assert member.index == "ix_audit_events_tenant_id_target_id_at_id"
    assert member.is_narrowed_to_tenant
    assert "target_id =" in member.condition
    assert staff.index == "ix_audit_events_target_id_at_id_tenant_id"
