"""The members page in the schema tier, beside the pool and beside the peer; what a backend holds after many schemas."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from app.core import clock
from app.core.tenancy.scopes import tenant_scope
from app.members import queries
from tests.bench.figures import Figure, tell
from tests.bench.one_query import FIRST_PAGE, route_of_slug
from tests.bench.pages import WARM_UP_REQUESTS, check_equal, divided, visits_of
from tests.bench.peers import Peer, fill_peer
from tests.bench.processes import backends_of, private_megabytes
from tests.bench.rounds import Side, alternate, beside, warm_up
from tests.bench.stage import PLAIN, PRODUCT, Pool, Stage
from tests.bench.visitors import Visit

PEER_NAMES = {"": {}, "_by_default": {"PEER_LIMITS_SET_CALLS": "0", "PEER_CONNECTION_AGE": "0"}}


def measure_tiers(stage: Stage) -> Iterator[Figure]:
    """Measure the product's page in both tiers, the plain one in schemas, and the peer's, all in the same rounds."""
    pool, schemas, peer = stage.pool(stage.scale.schemas), stage.schemas(), _prepare_peer(stage)
    sides = [_product_side(stage, "page_pool", pool, PRODUCT), _product_side(stage, "page_schema", schemas, PRODUCT)]
    sides += [_product_side(stage, "plain_page_schema", schemas, PLAIN)]
    sides += [_peer_side(stage, f"peer{name}", schemas, peer, options) for name, options in PEER_NAMES.items()]
    check_equal(sides[0], sides[1], same_rows=False)
    for side in sides[3:]:
        check_equal(sides[2], side, same_rows=False)
    for side in sides:
        warm_up(side, min(WARM_UP_REQUESTS, 10 * stage.scale.requests))
    samples = alternate(sides, rounds=stage.scale.rounds, requests=stage.scale.requests)
    for name, taken in samples.items():
        yield Figure.of_rounds(f"tier_{name}_cpu_ms", [sample.cpu_ms for sample in taken], "ms", **beside(taken))
    costs = {name: [sample.cpu_ms for sample in taken] for name, taken in samples.items()}
    tenants = {"tenants": stage.scale.schemas}
    yield Figure.of_rounds(
        "page_schema_tier_vs_pool", divided(costs["page_pool"], costs["page_schema"]), "pool ÷ schema", **tenants
    )
    for name in PEER_NAMES:
        ratios = divided(costs[f"peer{name}"], costs["plain_page_schema"])
        yield Figure.of_rounds(f"page_schema_tier_vs_django_tenants{name}", ratios, "peer ÷ ours", **tenants)


def measure_backend(stage: Stage) -> Iterator[Figure]:
    """Serve every tenant in a schema, one after the other, and see how large the serving process becomes at most."""
    schemas, peer = stage.schemas(), _prepare_peer(stage)
    tell("touring the schemas")
    found: list[float] = []
    with schemas.app():
        for slug in schemas.slugs(schemas.tenants):
            with tenant_scope(route_of_slug(slug), reason="bench"):
                queries.list_members(FIRST_PAGE)
                queries.list_roles()
                queries.find_live_session("nobody's", "nowhere", clock.now())
                found += [max(map(private_megabytes, schemas.backends()))]
    theirs = private_megabytes(peer.do("tour"))
    known = {"median_mb": round(median(found), 1), "peer_mb": round(theirs, 1), "tenants": schemas.tenants}
    yield Figure.of_rounds("schema_tier_backend_mb", [max(found)], "MB", **known)


def _prepare_peer(stage: Stage) -> Peer:
    """Return the peer with the tenants of the pool and their rows, made at the first call."""
    pool, peer = stage.pool(stage.scale.schemas), stage.peer()
    rows = pool.connection.execute("select id, slug from control.tenants order by slug").fetchall()
    if not peer.is_filled:
        tell(f"building {len(rows)} schemas of the peer")
        for tenant_id, slug in rows:
            peer.do("create", schema=f"p_{tenant_id.hex}", slug=slug)
        fill_peer(peer, pool.superuser_url, [(f"p_{tenant_id.hex}", str(tenant_id)) for tenant_id, _slug in rows])
    return peer


def _product_side(stage: Stage, name: str, pool: Pool, application: str) -> Side:
    web = stage.web(pool, application)
    return Side(name, web.port, visits_of(pool, web.port, stage.scale.schemas), web.workers, pool.backends)


def _peer_side(stage: Stage, name: str, schemas: Pool, peer: Peer, options: dict[str, str]) -> Side:
    web = stage.peer_web(peer, **options)
    visits = []
    for slug in schemas.slugs(stage.scale.schemas):
        cookie = peer.do("cookie", token=f"member01@{slug}.example")
        visits.append(Visit("/members", {"Host": f"{slug}.localhost:{web.port}", "Cookie": cookie}))
    database = peer.url.rpartition("/")[2]
    return Side(name, web.port, visits, web.workers, lambda: backends_of(schemas.connection, database))
