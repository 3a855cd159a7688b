"""How long an empty home takes in each tier, beside the peer's schema with the same tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from app.core.ids import new_id
from app.core.tenancy.scopes import Tier
from app.homes.building import build_home, place_home
from tests.bench.figures import Figure, tell
from tests.bench.peers import Peer
from tests.bench.stage import Stage

PEERS = ("as_it_is", "from_a_template", "with_its_own_accounts")


def measure_creation(stage: Stage) -> Iterator[Figure]:
    """Make a home in each tier and a schema by each of the peer's ways, in turns; the first round only warms up."""
    peers = [stage.peer(), stage.peer(PEER_BASE_SCHEMA="t_0"), stage.peer(PEER_ACCOUNTS="1")]
    seconds: dict[str, list[float]] = {name: [] for name in (*Tier, *PEERS)}
    with stage.pool(stage.scale.pool_tenants[0]).app():
        for number in range(stage.scale.created + 1):
            tell(f"creation round {number}")
            taken = {tier: _make_home(tier) for tier in Tier}
            taken |= {name: _make_schema(peer, name, number) for name, peer in zip(PEERS, peers, strict=True)}
            if number:
                for name, one in taken.items():
                    seconds[name].append(one)
    medians = {f"{name}_seconds": round(median(taken), 4) for name, taken in seconds.items()}
    for tier in Tier:
        for ending, name in (("", PEERS[0]), ("_with_its_own_accounts", PEERS[2])):
            ratios = [ours / theirs for ours, theirs in zip(seconds[tier], seconds[name], strict=True)]
            yield Figure.of_rounds(f"create_{tier}_home_vs_django_tenants{ending}", ratios, "ours ÷ peer", **medians)


def _make_home(tier: Tier) -> float:
    tenant_id = new_id()
    placement = place_home(tenant_id, tier, "main")
    began = time.perf_counter()
    build_home(tenant_id, placement)
    return time.perf_counter() - began


def _make_schema(peer: Peer, name: str, number: int) -> float:
    slug = f"{name}-{number}".replace("_", "-")
    seconds: float = peer.do("create", schema=f"t_{number}", slug=slug)
    return seconds
