"""`python -m tests.bench [--only NAME] [--tiny]`: prints one JSON line a figure on standard output."""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext

from tests.bench.creating import measure_creation
from tests.bench.figures import Figure
from tests.bench.fleet import measure_fleet, measure_fleet_of_peer
from tests.bench.list_queries import measure_list_queries
from tests.bench.moving import measure_moves
from tests.bench.onboarding import measure_onboarding
from tests.bench.one_query import measure_query
from tests.bench.pages import measure_pages
from tests.bench.round_trips import measure_round_trips
from tests.bench.sealing import measure_sealing
from tests.bench.stage import TINY, Scale, Stage
from tests.bench.tenant_list import measure_tenant_list
from tests.bench.tiers import measure_backend, measure_tiers

# Each question with the figures that answer it.
QUESTIONS: dict[Callable[[Stage], Iterator[Figure]], tuple[str, ...]] = {
    measure_round_trips: ("tenancy_round_trips",),
    measure_query: ("query_scoped_vs_unscoped", "query_*_cpu_ms"),
    measure_pages: (
        "page_scoped_vs_unscoped",
        "page_scoped_vs_unscoped_*",
        "page_growth_scoped_vs_unscoped",
        "web_worker_mb",
        "page_*_cpu_ms",
        "hello_cpu_ms",
    ),
    measure_tenant_list: ("tenant_list_p95_10000_vs_100", "tenant_list_*_p95_ms"),
    measure_list_queries: ("list_query_rls_vs_owner",),
    measure_tiers: (
        "page_schema_tier_vs_pool",
        "page_schema_tier_vs_django_tenants",
        "page_schema_tier_vs_django_tenants_by_default",
        "tier_*_cpu_ms",
    ),
    measure_backend: ("schema_tier_backend_mb",),
    measure_creation: ("create_*_home_vs_django_tenants", "create_*_home_vs_django_tenants_with_its_own_accounts"),
    measure_moves: ("move_write_pause_seconds", "move_copy_vs_plain_copy"),
    measure_fleet: ("migrate_500_vs_plain_sql", "migrate_noop_1000_seconds"),
    measure_fleet_of_peer: ("migrate_500_vs_django_tenants",),
    measure_sealing: ("field_encrypt_vs_bare", "field_decrypt_vs_bare"),
    measure_onboarding: ("submit_to_active_seconds", "onboarding_tenants_per_minute"),
}


def main(arguments: Sequence[str], stage: Stage | None = None) -> int:
    """Ask the questions that answer what was asked for, and print the figures as they come.

    A stage that is given stays as it is; otherwise one is set up and taken down.
    """
    options = _parse(arguments)
    asked = [question for question, names in QUESTIONS.items() if options.only is None or _answers(names, options.only)]
    if not asked:
        known = ", ".join(name for names in QUESTIONS.values() for name in names)
        sys.stderr.write(f"There is no figure {options.only}; choose one of {known}.\n")
        return 2
    with nullcontext(stage) if stage else closing(Stage(TINY if options.tiny else Scale())) as used:
        for question in asked:
            for figure in question(used):
                if options.only is None or fnmatch.fnmatchcase(figure.name, options.only):
                    print(figure.line(), flush=True)
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", help="the one figure to measure, or a pattern of several")
    parser.add_argument("--tiny", action="store_true", help="as little as shows that it runs; the values mean nothing")
    return parser.parse_args(arguments)


def _answers(names: tuple[str, ...], wanted: str) -> bool:
    """Tell whether a name, or a pattern of names, is among what a question answers."""
    return any(fnmatch.fnmatchcase(wanted, name) or fnmatch.fnmatchcase(name, wanted) for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
