"""The members page with and without tenancy, side by side, in pools of every size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.client import HTTPConnection
from statistics import median

from app.instance.processes import LOOPBACK
from tests.bench.figures import Figure
from tests.bench.processes import resident_megabytes, shared_megabytes
from tests.bench.rounds import Sample, Side, alternate, beside, warm_up
from tests.bench.stage import HELLO, PRODUCT, UNSCOPED, Pool, Stage, Web
from tests.bench.visitors import Visit

WARM_UP_REQUESTS = 100
# What differs between two answers of one page: nonces, tokens of forms, and the port in nothing but links.
_IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|<time .*?</time>", re.DOTALL)
_FRESH = re.compile(r'(nonce="|nonce-|name="csrf_token" value=")[^"]*')


def measure_pages(stage: Stage) -> Iterator[Figure]:
    """Measure a hello, the page without tenancy and the product's page, all in the same rounds."""
    scale = stage.scale
    hello = _hello_side(stage)
    sides, webs = [hello], {}
    for tenants in scale.pool_tenants:
        scoped, unscoped = (_page_side(stage, tenants, application) for application in (PRODUCT, UNSCOPED))
        check_equal(scoped[0], unscoped[0])
        sides += [unscoped[0], scoped[0]]
        webs[tenants] = scoped[1]
    for side in sides:
        warm_up(side, min(WARM_UP_REQUESTS, 10 * scale.requests))
    samples = alternate(sides, rounds=scale.rounds, requests=scale.requests)
    for name, taken in samples.items():
        yield Figure.of_rounds(f"{name}_cpu_ms", [sample.cpu_ms for sample in taken], "ms", **beside(taken))
    yield from _ratios(scale.pool_tenants, samples)
    yield _memory(webs[scale.most_tenants])


def _hello_side(stage: Stage) -> Side:
    pool = stage.pool(stage.scale.pool_tenants[0])
    web = stage.web(pool, HELLO)
    return Side("hello", web.port, [Visit("/", {})], web.workers, list)


def _page_side(stage: Stage, tenants: int, application: str) -> tuple[Side, Web]:
    pool = stage.pool(tenants)
    web = stage.web(pool, application)
    name = f"page_{'scoped' if application == PRODUCT else 'unscoped'}_{tenants}"
    return Side(name, web.port, visits_of(pool, web.port, stage.scale.visited), web.workers, pool.backends), web


def visits_of(pool: Pool, port: int, count: int) -> list[Visit]:
    with pool.app() as app:
        return pool.members_pages(app, port, count)


def check_equal(first: Side, second: Side, *, same_rows: bool = True) -> None:
    """See that both sides answer with the same page, or comparing them would mean nothing.

    Where two databases were seeded, ids and moments are of each its own.
    """
    pages = [_page(side) if same_rows else _IDS.sub("", _page(side)) for side in (first, second)]
    assert pages[0] == pages[1], "the two sides show different pages"
    assert pages[0].count('<th scope="row">') == 20


def _page(side: Side) -> str:
    connection = HTTPConnection(LOOPBACK, side.port, timeout=60)
    connection.request("GET", side.visits[0].path, headers=side.visits[0].headers)
    text = connection.getresponse().read().decode()
    connection.close()
    return _FRESH.sub("", text.replace(str(side.port), "port")).strip()


def _ratios(sizes: tuple[int, ...], samples: dict[str, list[Sample]]) -> Iterator[Figure]:
    costs = {name: [sample.cpu_ms for sample in taken] for name, taken in samples.items()}
    few, many = sizes[0], sizes[-1]
    for tenants in sizes:
        rounds = divided(costs[f"page_unscoped_{tenants}"], costs[f"page_scoped_{tenants}"])
        name = "page_scoped_vs_unscoped" + (f"_{tenants}" if tenants != many else "")
        yield Figure.of_rounds(name, rounds, "ratio", tenants=tenants)
    scoped = divided(costs[f"page_scoped_{many}"], costs[f"page_scoped_{few}"])
    unscoped = divided(costs[f"page_unscoped_{many}"], costs[f"page_unscoped_{few}"])
    growth = {"growth_scoped": round(median(scoped), 3), "growth_unscoped": round(median(unscoped), 3)}
    yield Figure.of_rounds("page_growth_scoped_vs_unscoped", divided(scoped, unscoped), "ratio", **growth)


def divided(upper: list[float], lower: list[float]) -> list[float]:
    return [above / below for above, below in zip(upper, lower, strict=True)]


def _memory(web: Web) -> Figure:
    resident = [resident_megabytes(pid) for pid in web.workers()]
    shared = median(shared_megabytes(pid) for pid in web.workers())
    return Figure.of_rounds("web_worker_mb", resident, "MB", proportional_mb=round(shared, 1))
