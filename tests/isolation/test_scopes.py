"""Scopes: one at a time, left as they were entered, and nothing another thread inherits."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select, text

from app.core.database.session import db, engines
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import (
    Login,
    Placement,
    Scope,
    TenantRoute,
    Tier,
    current_scope,
    current_tenant_id,
    find_scope,
    platform_scope,
    tenant_scope,
)
from tests.isolation.toy import Toy

Entry = Callable[[], AbstractContextManager[Scope]]


def route_of(tenant_id: UUID | None = None) -> TenantRoute:
    """Return a route as the registry would, without a database behind it."""
    return TenantRoute(tenant_id or uuid4(), "acme", "active", Placement("main", Tier.POOL, "pool", 1))


ACME = route_of()
ENTRIES: dict[str, Entry] = {
    "acme": lambda: tenant_scope(ACME, reason="acme"),
    "globex": lambda: tenant_scope(route_of(), reason="globex"),
    "the owner for acme": lambda: tenant_scope(ACME, reason="move", login=Login.OWNER),
    "the platform": lambda: platform_scope("platform"),
}


@pytest.mark.parametrize("inner", ENTRIES)
@pytest.mark.parametrize("outer", ENTRIES)
def test_no_scope_is_entered_inside_another(app: Any, outer: str, inner: str) -> None:
    with ENTRIES[outer]() as scope:
        with pytest.raises(ScopeError, match="never nest"), ENTRIES[inner]():
            pytest.fail("the inner scope was entered")
        assert find_scope() is scope


class NoException(BaseException):
    """Something that an `except Exception` would let pass."""


@pytest.mark.parametrize("fault", [ValueError, ScopeError, KeyboardInterrupt, SystemExit, GeneratorExit, NoException])
@pytest.mark.parametrize("entry", ENTRIES)
def test_a_scope_is_left_on_any_exception(app: Any, entry: str, fault: type[BaseException]) -> None:
    with pytest.raises(fault), ENTRIES[entry]():
        raise fault
    assert find_scope() is None


def test_a_scope_is_left_even_when_closing_its_session_fails(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("the hook failed")

    monkeypatch.setattr("app.core.tenancy.scopes._leave_hooks", [fail])
    with pytest.raises(RuntimeError, match="the hook failed"), platform_scope("work"):
        pass
    assert find_scope() is None


def test_outside_a_scope_there_is_neither_scope_nor_tenant() -> None:
    assert find_scope() is None
    with pytest.raises(ScopeError, match="no scope"):
        current_scope()
    with pytest.raises(ScopeError, match="no scope"):
        current_tenant_id()


def test_the_platforms_scope_has_no_tenant(app: Any) -> None:
    with platform_scope("work"), pytest.raises(ScopeError, match="no tenant"):
        current_tenant_id()


def test_a_tenants_scope_has_its_tenant(app: Any) -> None:
    with tenant_scope(ACME, reason="work") as scope:
        assert (current_tenant_id(), current_scope()) == (ACME.tenant_id, scope)


def test_a_tenant_without_a_home_has_no_scope(app: Any) -> None:
    nowhere = TenantRoute(uuid4(), "new", "requested", None)
    with pytest.raises(ScopeError, match="no home"), tenant_scope(nowhere, reason="work"):
        pytest.fail("the scope was entered")


def test_the_platform_login_never_works_for_a_tenant(app: Any) -> None:
    with pytest.raises(ScopeError, match="platform login"), tenant_scope(ACME, reason="pry", login=Login.PLATFORM):
        pytest.fail("the scope was entered")


@pytest.mark.parametrize(
    ("entry", "login"),
    [
        ("acme", Login.PLATFORM),
        ("acme", Login.OWNER),
        ("the owner for acme", Login.TENANT),
        ("the owner for acme", Login.PLATFORM),
        ("the platform", Login.TENANT),
        ("the platform", Login.OWNER),
    ],
)
def test_a_login_serves_only_its_own_scopes(app: Any, entry: str, login: Login) -> None:
    with (
        ENTRIES[entry](),
        engines().for_login(login).connect() as connection,
        pytest.raises(ScopeError, match=f"The {login} login was used"),
    ):
        connection.execute(text("select 1"))


@pytest.mark.parametrize("start", [lambda run: threading.Thread(target=run), lambda run: threading.Timer(0, run)])
def test_a_thread_inherits_no_scope(app: Any, start: Callable[[Callable[[], None]], threading.Thread]) -> None:
    found: list[Scope | None] = []
    with platform_scope("work"):
        thread = start(lambda: found.append(find_scope()))
        thread.start()
        thread.join()
    assert found == [None]


def test_a_pooled_thread_keeps_no_scope_for_the_next_task(app: Any) -> None:
    def work() -> Scope:
        with platform_scope("work") as scope:
            return scope

    with ThreadPoolExecutor(1) as pool:
        first, between, second = pool.submit(work), pool.submit(find_scope), pool.submit(work)
        assert between.result() is None
        assert first.result() is not second.result()


def test_threads_work_for_their_own_tenants_at_once(acme: TenantRoute, globex: TenantRoute, app: Any) -> None:
    both_inside = threading.Barrier(2, timeout=30)

    def read(route: TenantRoute) -> list[str]:
        with app.app_context(), tenant_scope(route, reason="read"):
            db.session.connection()
            both_inside.wait()
            return list(db.session.scalars(select(Toy.name)))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(read, [acme, globex])) == [["acme's"], ["globex's"]]


def test_each_scope_has_a_session_of_its_own(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="one"):
        first, toy = db.session(), db.session.scalars(select(Toy)).one()
    with tenant_scope(acme, reason="another"):
        assert db.session() is not first
        assert toy not in db.session


def generate(entry: Entry) -> Iterator[Scope]:
    """Yield from inside a scope, as a careless stream would."""
    with entry() as scope:
        yield scope


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_generator_that_holds_a_scope_bars_the_way_into_another(app: Any, entry: str) -> None:
    stream = generate(ENTRIES["acme"])
    next(stream)
    with pytest.raises(ScopeError, match="never nest"), ENTRIES[entry]():
        pytest.fail("the scope was entered")
    stream.close()
    assert find_scope() is None


def test_a_generator_made_in_a_scope_and_run_after_it_has_none(acme: TenantRoute) -> None:
    def names() -> Iterator[str]:
        yield from db.session.scalars(select(Toy.name))

    with tenant_scope(acme, reason="make"):
        stream = names()
    with pytest.raises(ScopeError, match="no scope"):
        next(stream)


def test_a_result_outlives_its_scope_without_reading_more(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="read"):
        rows = db.session.execute(select(Toy.name).execution_options(yield_per=1))
    with pytest.raises(Exception, match=r"closed|does not exist"):
        rows.all()


class Nesting(RuleBasedStateMachine):
    """Enter, leave, fail and start threads in any order: there is never more than the one scope of this thread."""

    def __init__(self) -> None:
        super().__init__()
        self.entered: Scope | None = None
        self.exits = ExitStack()
        # Every rule runs in one context of the machine's own, as in one thread.
        self.context = contextvars.copy_context()

    @precondition(lambda self: self.entered is None)
    @rule(entry=st.sampled_from(sorted(ENTRIES)))
    def enter(self, entry: str) -> None:
        self.entered = self.context.run(self.exits.enter_context, ENTRIES[entry]())

    @precondition(lambda self: self.entered is not None)
    @rule(entry=st.sampled_from(sorted(ENTRIES)))
    def enter_again(self, entry: str) -> None:
        with pytest.raises(ScopeError):
            self.context.run(ENTRIES[entry]().__enter__)

    @rule()
    def leave(self) -> None:
        self.context.run(self.exits.close)
        self.entered = None

    @rule(fault=st.sampled_from([ValueError, KeyboardInterrupt, NoException]))
    def fail(self, fault: type[BaseException]) -> None:
        self.context.run(self.exits.__exit__, fault, fault(), None)
        self.entered = None

    @rule(entry=st.sampled_from(sorted(ENTRIES)))
    def work_in_a_thread(self, entry: str) -> None:
        def work() -> bool:
            with ENTRIES[entry]() as scope:
                return find_scope() is scope

        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(work).result()
            assert pool.submit(find_scope).result() is None

    @invariant()
    def the_scope_is_the_one_entered(self) -> None:
        assert self.context.run(find_scope) is self.entered

    def teardown(self) -> None:
        self.context.run(self.exits.close)


@pytest.mark.usefixtures("app")
class TestNesting(Nesting.TestCase):
    """The machine, with an application whose sessions the scopes close."""
