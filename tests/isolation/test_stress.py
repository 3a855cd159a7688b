"""Tenants of all tiers take turns on one pooled connection a database, whatever goes wrong: `--stress-rounds 10000`."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from flask import current_app
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from app.core.config import Settings
from app.core.database.engines import Engines
from app.core.database.session import db, registry
from app.core.ids import new_id
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import TenantRoute, Tier, tenant_scope
from app.settings.models import Setting
from app.web.hosts import Portal
from tests.isolation.grounds import Ground, grounds
from tests.isolation.stress import ACTS, BrokenError, Stress
from tests.servers import ANNEX

__all__ = ["grounds"]


@pytest.fixture
def routes(
    grounds: dict[Tier, Ground], _session_app: Portal, instance: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[TenantRoute]]:
    """Two tenants a tier, over engines whose pools keep one connection."""
    monkeypatch.setattr("app.core.database.engines.OTHER_POOL_SIZE", 1)
    engines = Engines(instance.model_copy(update={"database_pool_size": 1}), registry())
    monkeypatch.setitem(_session_app.extensions, "tenantry_engines", engines)
    yield [route for ground in grounds.values() for route in (ground.acme, ground.globex)]
    engines.dispose()


def test_whatever_one_request_does_the_next_tenant_sees_its_own(
    routes: list[TenantRoute],
    superuser_url: str,
    other_superuser_url: str,
    request: pytest.FixtureRequest,
) -> None:
    urls = {"main": superuser_url, ANNEX: other_superuser_url}
    app: Portal = current_app._get_current_object()
    stress = Stress(app, routes, urls, seed=20261122)
    stress.run(request.config.getoption("stress_rounds"))
    assert all(stress.counts[name] for name in ACTS), stress.counts
    # One connection served them all, until it was killed.
    assert len(stress.backends["main"]) <= 1 + stress.counts["kill the backend"]


class Requests(RuleBasedStateMachine):
    """Scopes, writes, commits and exceptions in any order: a tenant reads what it wrote, and nobody else's."""

    def __init__(self, routes: list[TenantRoute]) -> None:
        super().__init__()
        self.routes, self.key = routes, f"machine {new_id()}"
        self.committed: dict[Any, str | None] = {route.tenant_id: None for route in routes}
        self.route: TenantRoute | None = None
        self.pending: str | None = None
        self.exits = ExitStack()
        self.context = contextvars.copy_context()

    def do(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Work in the machine's one context, as in one thread."""
        return self.context.run(work, *arguments)

    def find(self) -> Setting | None:
        return db.session.scalars(select(Setting).where(Setting.key == self.key)).one_or_none()

    def put(self, value: str) -> None:
        found = self.find()
        if found is None:
            db.session.add(Setting(key=self.key, value=value))
        else:
            found.value = value
        db.session.flush()

    @precondition(lambda self: self.route is None)
    @rule(number=st.integers(0, 5))
    def enter(self, number: int) -> None:
        self.route = self.routes[number]
        self.do(self.exits.enter_context, tenant_scope(self.route, reason="machine"))
        self.pending = self.committed[self.route.tenant_id]

    @precondition(lambda self: self.route is None)
    @rule()
    def read_outside(self) -> None:
        with pytest.raises(ScopeError):
            self.do(self.find)

    @precondition(lambda self: self.route is not None)
    @rule()
    def read(self) -> None:
        found = self.do(self.find)
        assert (found and found.value) == self.pending
        assert found is None or found.tenant_id == self.route.tenant_id

    @precondition(lambda self: self.route is not None)
    @rule(value=st.sampled_from("abc"))
    def write(self, value: str) -> None:
        self.do(self.put, value)
        self.pending = value

    @precondition(lambda self: self.route is not None)
    @rule()
    def write_in_a_lost_savepoint(self) -> None:
        def lose() -> None:
            with suppress(BrokenError), db.session.begin_nested():
                self.put("lost")
                raise BrokenError

        self.do(lose)

    @precondition(lambda self: self.route is not None)
    @rule()
    def commit(self) -> None:
        self.do(db.session.commit)
        self.committed[self.route.tenant_id] = self.pending

    @precondition(lambda self: self.route is not None)
    @rule()
    def roll_back(self) -> None:
        self.do(db.session.rollback)
        self.pending = self.committed[self.route.tenant_id]

    @precondition(lambda self: self.route is not None)
    @rule(fault=st.sampled_from([None, BrokenError, KeyboardInterrupt]))
    def leave(self, fault: type[BaseException] | None) -> None:
        self.do(self.exits.__exit__, fault, fault and fault(), None)
        self.route, self.pending = None, None

    def teardown(self) -> None:
        self.do(self.exits.close)


def test_any_order_of_scope_write_commit_and_exception(routes: list[TenantRoute]) -> None:
    limits = hypothesis(max_examples=40, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(lambda: Requests(routes), settings=limits)
