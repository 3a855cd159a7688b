"""The registry: routes are cached while they are known to be fresh, and an old one never comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.core.config import Settings
from app.core.errors import ConfigError, NotFoundError, StateError
from app.core.secrets import UnwrapError, wrap
from app.core.tenancy import registry as room
from app.core.tenancy.registry import Registry, context_key_place
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, TenantRoute
from tests.isolation.lines import Line
from tests.isolation.toy import connect
from tests.tenant_rows import make_tenant_rows, set_tenant

ROTATE = "insert into control.context_keys (server, version, wrapped) values ('main', 2, %s)"
UNDO = "delete from control.context_keys where version = 2"


def test_a_route_holds_what_the_scope_needs_and_nothing_else(watched: Registry, registered: TenantRoute) -> None:
    found = watched.resolve_host("acme")
    assert found == watched.find_route(registered.tenant_id) == registered
    assert (found.slug, found.status, found.home_state) == ("acme", "active", "active")
    assert found.placement.schema == "pool"


@pytest.mark.parametrize("name", ["globex", "", "ACME", "acme ", "%", "a" * 300, "acme'--"])
def test_an_unknown_name_has_no_route(watched: Registry, registered: TenantRoute, name: str) -> None:
    assert watched.resolve_host(name) is None
    assert watched.find_route(uuid4()) is None


def test_whoever_needs_a_route_as_it_is_now_gets_it_or_an_error(
    watched: Registry, poller: psycopg.Connection[Any], registered: TenantRoute, instance: Settings
) -> None:
    watched.poll(poller)
    assert watched.get_route(registered.tenant_id).get_placement() == registered.placement
    with connect(instance) as owner:
        owner.execute("delete from control.placements where tenant_id = %s", (registered.tenant_id,))
    assert watched.find_route(registered.tenant_id) == registered
    with pytest.raises(StateError, match="acme has no place for a home"):
        watched.get_route(registered.tenant_id).get_placement()
    with pytest.raises(NotFoundError, match="There is no such tenant"):
        watched.get_route(uuid4())


def test_a_fresh_route_is_asked_for_once(
    watched: Registry, line: Line, poller: psycopg.Connection[Any], registered: TenantRoute
) -> None:
    watched.poll(poller)
    found = [watched.resolve_host("acme") for _ in range(3)]
    assert found == [registered] * 3
    assert len(line.asked) == 1


def test_that_there_is_no_such_tenant_is_remembered_too(
    watched: Registry, line: Line, poller: psycopg.Connection[Any]
) -> None:
    watched.poll(poller)
    assert [watched.resolve_host("nobody") for _ in range(3)] == [None] * 3
    assert len(line.asked) == 1
    make_tenant_rows("nobody")
    watched.poll(poller)
    assert watched.resolve_host("nobody") is not None


def test_without_a_poll_every_question_goes_through(watched: Registry, line: Line, registered: TenantRoute) -> None:
    for _ in range(3):
        watched.resolve_host("acme")
    assert len(line.asked) == 3


def test_a_poller_that_is_behind_is_not_believed(
    watched: Registry, poller: psycopg.Connection[Any], registered: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.poll(poller)
    watched.resolve_host("acme")
    set_tenant(registered.tenant_id, status="suspended")
    later = time.monotonic() + room.FRESH_SECONDS
    monkeypatch.setattr(room.time, "monotonic", lambda: later)
    assert watched.resolve_host("acme").status == "suspended"


def test_a_slow_poll_is_as_old_as_its_question(
    watched: Registry, line: Line, poller: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([100.0, *[100.0 + room.FRESH_SECONDS] * 9])
    monkeypatch.setattr(room.time, "monotonic", lambda: next(now))
    watched.poll(poller)
    watched.resolve_host("acme")
    watched.resolve_host("acme")
    assert len(line.asked) == 2


@pytest.mark.parametrize(
    "change",
    [
        "update control.tenants set status = 'suspended'",
        "update control.tenants set slug = 'renamed'",
        "update control.placements set epoch = 2",
        "delete from control.placements",
    ],
)
def test_a_change_of_the_registry_is_in_effect_after_the_next_poll(
    watched: Registry, poller: psycopg.Connection[Any], registered: TenantRoute, instance: Settings, change: str
) -> None:
    watched.poll(poller)
    assert watched.resolve_host("acme") == registered
    with connect(instance) as owner:
        owner.execute(change)
    assert watched.resolve_host("acme") == registered
    watched.poll(poller)
    assert watched.resolve_host("acme") != registered


def test_a_change_that_was_rolled_back_changes_nothing(
    watched: Registry, line: Line, poller: psycopg.Connection[Any], registered: TenantRoute, instance: Settings
) -> None:
    watched.poll(poller)
    watched.resolve_host("acme")
    with connect(instance) as owner:
        owner.execute("update control.tenants set status = 'suspended'")
        owner.rollback()
    watched.poll(poller)
    assert watched.resolve_host("acme") == registered
    assert len(line.asked) == 1


def test_a_poll_between_read_and_answer_keeps_the_old_route_out(
    watched: Registry, line: Line, poller: psycopg.Connection[Any], registered: TenantRoute
) -> None:
    def change_and_poll() -> None:
        set_tenant(registered.tenant_id, status="suspended")
        watched.poll(poller)

    watched.poll(poller)
    line.after_read = change_and_poll
    assert watched.resolve_host("acme").status == "active"  # Read before the change, and answered once.
    assert watched.resolve_host("acme").status == "suspended"


def test_a_refusal_between_read_and_answer_keeps_the_old_route_out(
    watched: Registry, line: Line, poller: psycopg.Connection[Any], registered: TenantRoute
) -> None:
    watched.poll(poller)
    line.after_read = lambda: watched.forget(registered.tenant_id)
    watched.resolve_host("acme")
    watched.resolve_host("acme")
    assert len(line.asked) == 2


def test_a_forgotten_tenant_is_read_anew_and_others_stay(
    watched: Registry, line: Line, poller: psycopg.Connection[Any], registered: TenantRoute
) -> None:
    make_tenant_rows("globex")
    watched.poll(poller)
    for name in ("acme", "globex"):
        watched.resolve_host(name)
    watched.forget(registered.tenant_id)
    assert [watched.resolve_host(name).slug for name in ("acme", "globex")] == ["acme", "globex"]
    assert len(line.asked) == 3


def test_names_that_strangers_guess_do_not_fill_the_cache_for_good(
    watched: Registry,
    line: Line,
    poller: psycopg.Connection[Any],
    registered: TenantRoute,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "CACHE_ENTRIES", 3)
    watched.poll(poller)
    for number in range(10):
        watched.resolve_host(f"nobody-{number}")
    assert [watched.resolve_host("acme") for _ in range(3)] == [registered] * 3
    assert len(line.asked) == 11


def test_the_newest_context_key_is_used_and_an_old_one_never_comes_back(
    watched: Registry, line: Line, poller: psycopg.Connection[Any], instance: Settings
) -> None:
    old, new = watched.context_key(MAIN_DATABASE), bytes(range(32))
    watched.poll(poller)
    with rotated_key(instance, watched.wrapping_key, new) as rotate:
        line.after_read = lambda: (rotate(), watched.poll(poller))
        assert watched.context_key(MAIN_DATABASE) == old  # Read before the rotation; both are accepted meanwhile.
        assert watched.context_key(MAIN_DATABASE) == new


def test_a_server_without_a_key_asks_for_the_migrate_command(watched: Registry) -> None:
    with pytest.raises(ConfigError, match="migrate"):
        watched.context_key(DatabaseAddress("elsewhere"))


def test_another_root_secret_opens_no_key(line: Line) -> None:
    stranger = Registry(connect=line.connect, wrapping_key=bytes(32))
    with pytest.raises(UnwrapError):
        stranger.context_key(MAIN_DATABASE)
    stranger.close()


@contextmanager
def rotated_key(instance: Settings, wrapping_key: bytes, key: bytes) -> Iterator[Callable[[], None]]:
    """Offer the act of publishing a newer key, and take it back in the end."""
    with connect(instance, autocommit=True) as owner:
        sealed = wrap(wrapping_key, key, context_key_place(MAIN_DATABASE, 2))
        yield lambda: owner.execute(ROTATE, (sealed,)) and None
        owner.execute(UNDO)
