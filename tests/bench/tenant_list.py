"""The platform's list of tenants: how its slow requests grow with the number of tenants."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.rounds import Side, alternate, beside, warm_up
from tests.bench.stage import Pool, Stage
from tests.bench.visitors import Visitor
from tests.factories import ADA, PASSWORD, make_staff_user

WARM_UP_REQUESTS = 60


def measure_tenant_list(stage: Stage) -> Iterator[Figure]:
    """Measure the first page of the list among few tenants and among many, in the same rounds."""
    scale = stage.scale
    sides = [_side(stage, tenants) for tenants in (scale.few_tenants, scale.most_tenants)]
    for side in sides:
        warm_up(side, min(WARM_UP_REQUESTS, 10 * scale.requests))
    samples = alternate(sides, rounds=scale.rounds, requests=scale.requests)
    slow = {name: [sample.percentile(95) for sample in taken] for name, taken in samples.items()}
    for name, taken in samples.items():
        yield Figure.of_rounds(f"{name}_p95_ms", slow[name], "ms", **beside(taken))
    few, many = (slow[side.name] for side in sides)
    ratios = [above / below for above, below in zip(many, few, strict=True)]
    yield Figure.of_rounds("tenant_list_p95_10000_vs_100", ratios, "ratio", tenants=scale.most_tenants)


def make_ada(pool: Pool) -> None:
    """Let Ada operate the platform, unless she does already."""
    with pool.app():
        found = pool.connection.execute("select 1 from control.staff_users limit 1").fetchone()
        if found is None:
            make_staff_user()


def sign_in_as_ada(port: int) -> Visitor:
    """Return Ada's browser, signed in on the platform's host."""
    ada = Visitor(port, f"admin.localhost:{port}")
    ada.sign_in(ADA, PASSWORD)
    return ada


def _side(stage: Stage, tenants: int) -> Side:
    pool = stage.pool(tenants)
    make_ada(pool)
    web = stage.web(pool)
    visit = sign_in_as_ada(web.port).visit("/tenants")
    return Side(f"tenant_list_{tenants}", web.port, [visit], web.workers, pool.backends)
