"""The list query alone: one unit of work in this process, with and without tenancy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.core.database.session import registry
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.members import queries
from app.web.tables import TableState
from tests.bench import unscoped_queries
from tests.bench.figures import Figure
from tests.bench.processes import cpu_seconds
from tests.bench.stage import Pool, Stage
from tests.bench.unscoped import unscoped_engine

FIRST_PAGE = TableState(sort="name", default_sort="name")
Work = Callable[[TenantRoute], object]


@dataclass(frozen=True)
class _Cost:
    process_ms: float
    database_ms: float

    @property
    def cpu_ms(self) -> float:
        return self.process_ms + self.database_ms


def measure_query(stage: Stage) -> Iterator[Figure]:
    """Measure begin, list query and end, as ORM objects, in turns; tenants change with every unit of work."""
    scale = stage.scale
    pool = stage.pool(scale.most_tenants)
    with pool.app() as app:
        engine = unscoped_engine(app.extensions["tenantry_settings"])
        routes = [route_of_slug(slug) for slug in pool.slugs(scale.visited)]
        works = {"unscoped": _unscoped_work(engine), "scoped": read_scoped}
        costs = _alternate(pool, works, routes, rounds=scale.rounds, queries=scale.queries)
        engine.dispose()
    ratios = [one.cpu_ms / other.cpu_ms for one, other in zip(costs["unscoped"], costs["scoped"], strict=True)]
    for name, taken in costs.items():
        middles = {
            part: round(median(getattr(cost, part) for cost in taken), 3) for part in ("process_ms", "database_ms")
        }
        yield Figure.of_rounds(f"query_{name}_cpu_ms", [cost.cpu_ms for cost in taken], "ms", **middles)
    yield Figure.of_rounds("query_scoped_vs_unscoped", ratios, "ratio", tenants=pool.tenants)


def read_scoped(route: TenantRoute) -> object:
    """Read the list as the product does, in a scope of its own."""
    with tenant_scope(route, reason="bench"):
        return queries.list_members(FIRST_PAGE)


def _unscoped_work(engine: Engine) -> Work:
    def read(route: TenantRoute) -> object:
        with Session(engine, expire_on_commit=False) as session:
            return unscoped_queries.list_members(session, route.tenant_id)

    return read


def _alternate(
    pool: Pool, works: dict[str, Work], routes: Sequence[TenantRoute], *, rounds: int, queries: int
) -> dict[str, list[_Cost]]:
    costs: dict[str, list[_Cost]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items() if number % 2 else reversed(works.items()):
            cost = _cost(pool, work, routes, queries)
            if number:  # The first round only warms up.
                costs[name].append(cost)
    return costs


def _cost(pool: Pool, work: Work, routes: Sequence[TenantRoute], count: int) -> _Cost:
    before = {pid: cpu_seconds([pid]) for pid in pool.backends()}
    began = time.process_time()
    for number in range(count):
        work(routes[number % len(routes)])
    process = time.process_time() - began
    database = sum(cpu_seconds([pid]) - before.get(pid, 0.0) for pid in pool.backends())
    return _Cost(process * 1000 / count, database * 1000 / count)


def route_of_slug(slug: str) -> TenantRoute:
    """Return a tenant's route, as a request finds it."""
    route = registry().resolve_host(slug)
    assert route is not None
    return route
