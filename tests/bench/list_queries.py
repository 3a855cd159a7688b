"""The lists of a tenant's portal: each statement as the runtime login under row-level security, and without it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import Engine, event

from app.audit.queries import EventFilter, list_tenant_events
from app.core.context_token import sign_context
from app.core.database.server_urls import login_url
from app.core.database.session import registry
from app.core.tenancy.context import BEGIN_IN_TENANT
from app.core.tenancy.scopes import Login, TenantRoute, tenant_scope
from tests.audit import seed
from tests.bench.figures import Figure
from tests.bench.one_query import route_of_slug
from tests.bench.processes import cpu_seconds
from tests.bench.stage import Pool, Scale, Stage
from tests.isolation.test_every_list import OF_A_TENANT

LISTS: dict[str, Callable[[], object]] = {
    # Less one that asks two other lists' questions again.
    **{name: ask for name, ask in OF_A_TENANT.items() if name != "members.list_roles_to_give"},
    "audit.list_tenant_events": lambda: list_tenant_events(EventFilter()),
    "audit.list_tenant_events, by a name": lambda: list_tenant_events(EventFilter(text="m7")),
    "audit.list_tenant_events, by an action": lambda: list_tenant_events(EventFilter(action="member.invited")),
}
Sent = list[tuple[str, Any]]


@dataclass(frozen=True)
class _Costs:
    """One list's CPU time in each round, by either login."""

    scoped: list[float]
    owner: list[float]

    @property
    def ratios(self) -> list[float]:
        return [one / other for one, other in zip(self.scoped, self.owner, strict=True)]


def measure_list_queries(stage: Stage) -> Iterator[Figure]:
    """Ask each list's statements by both logins in turns; the figure is that of the list that costs most."""
    pool, scale = stage.pool(stage.scale.most_tenants), stage.scale
    with pool.app() as app:
        route = route_of_slug(pool.slugs(1)[0])
        with _home_of(pool) as home:
            seed.add_events(pool.connection, home, route)
        sent = {name: _statements_of(ask, route) for name, ask in LISTS.items()}
        url = login_url(app.extensions["tenantry_settings"], Login.TENANT)
        with _connect(url) as tenant, _connect(pool.superuser_url) as owner:
            _begin(tenant, route)
            costs = {name: _alternate(tenant, owner, asked, scale) for name, asked in sent.items()}
    slowest = max(costs, key=lambda name: median(costs[name].owner))
    each = {name: [round(median(cost.owner), 3), round(median(cost.ratios), 3)] for name, cost in costs.items()}
    known = {"slowest": slowest, "owner_ms_and_ratio_of_each": each, "tenants": pool.tenants}
    yield Figure.of_rounds("list_query_rls_vs_owner", costs[slowest].ratios, "runtime ÷ owner", **known)


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, prepare_threshold=None)


def _home_of(pool: Pool) -> psycopg.Connection:
    return psycopg.connect(pool.superuser_url, autocommit=True, options="-c search_path=pool")


def _statements_of(ask: Callable[[], object], route: TenantRoute) -> Sent:
    """Return what a list sends, the tenant's condition in it."""
    sent: Sent = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        sent.append((statement, parameters))

    with tenant_scope(route, reason="bench"):
        event.listen(Engine, "before_cursor_execute", note)
        ask()
        event.remove(Engine, "before_cursor_execute", note)
    assert all("tenant_id = " in statement for statement, _parameters in sent), sent
    return sent


def _begin(connection: psycopg.Connection, route: TenantRoute) -> None:
    """Show the database a context that is good for this one transaction, however long it is."""
    assert route.placement is not None
    expires = int(time.time()) + 250
    key = registry().context_key(route.placement.address)
    signed = sign_context(key, route.tenant_id, route.placement.epoch, expires)
    connection.execute(BEGIN_IN_TENANT, (signed, str(route.tenant_id)))


def _alternate(tenant: psycopg.Connection, owner: psycopg.Connection, asked: Sent, scale: Scale) -> _Costs:
    costs = _Costs([], [])
    for number in range(scale.rounds + 1):
        pairs = [(tenant, costs.scoped), (owner, costs.owner)]
        for connection, taken in pairs if number % 2 else pairs[::-1]:
            cost = _cost(connection, asked, scale.queries)
            if number:  # The first round only warms up.
                taken.append(cost)
    return costs


def _cost(connection: psycopg.Connection, asked: Sent, count: int) -> float:
    """Return the CPU time of asking once, the process's own and its backend's together.

    Units: milliseconds.
    """
    pid = connection.info.backend_pid
    before, began = cpu_seconds([pid]), time.process_time()
    for _number in range(count):
        for statement, parameters in asked:
            connection.execute(statement, parameters).fetchall()
    return (time.process_time() - began + cpu_seconds([pid]) - before) * 1000 / count
