"""The benchmark still runs; what it measures is never a test's business."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.bench import __main__ as bench
from tests.bench.figures import Figure
from tests.bench.stage import TINY, Stage

# Tables but those that hold a version; without checks, which the peer does not have.
SHAPE = """
select c.relname,
    (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and a.attnotnull),
    (select count(*) from pg_index i where i.indrelid = c.oid),
    (select count(*) from pg_index i where i.indrelid = c.oid and i.indisunique),
    (select count(*) from pg_constraint k where k.conrelid = c.oid and k.contype = 'f')
from pg_class c where c.relnamespace = to_regnamespace(%s) and c.relkind = 'r'
    and c.relname not in ('alembic_version', 'django_migrations') order by 1
"""
ROWS = "select count(*) from {}.members"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """One stage for all, as small as shows that everything runs."""
    found = Stage(TINY)
    yield found
    found.close()


def measure(stage: Stage, capsys: pytest.CaptureFixture[str], name: str) -> dict[str, dict[str, Any]]:
    """Ask for figures; return what is printed of each."""
    assert bench.main(["--tiny", "--only", name], stage) == 0
    return {line["figure"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}


def test_the_cheapest_figure_is_one_json_line(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = measure(stage, capsys, "tenancy_round_trips").values()
    assert found["statements"] == 5
    assert {"value", "unit", "spread", "machine"} <= found.keys()


def test_the_page_without_tenancy_is_still_the_products(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    # It compares the two pages before it measures them.
    assert measure(stage, capsys, "web_worker_mb")["web_worker_mb"]["value"] > 0


def test_a_figure_that_nobody_measures_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--only", "no_such_figure"]) == 2
    assert "tenancy_round_trips" in capsys.readouterr().err


def test_a_figure_of_rounds_is_their_median_between_the_least_and_the_most() -> None:
    found = Figure.of_rounds("toy", [3.0, 1.0, 2.0], "ms")
    assert (found.value, found.spread) == (2.0, (1.0, 3.0))


def test_a_fleet_is_migrated_and_then_found_current(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(stage, capsys, "migrate_noop_1000_seconds")["migrate_noop_1000_seconds"]["homes"] == 4


def test_every_list_is_asked_by_both_logins(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    found = measure(stage, capsys, "list_query_rls_vs_owner")["list_query_rls_vs_owner"]
    assert found["slowest"] in found["owner_ms_and_ratio_of_each"]
    assert len(found["owner_ms_and_ratio_of_each"]) > 10


def test_both_sides_have_the_same_tables_and_rows_and_show_the_same_page(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    found = measure(stage, capsys, "page_schema_tier_vs_*")  # It compares the pages before it measures them.
    names = {"page_schema_tier_vs_pool", "page_schema_tier_vs_django_tenants"}
    assert found.keys() == names | {"page_schema_tier_vs_django_tenants_by_default"}
    schemas, peer = stage.schemas().connection, stage.peer()
    (own,) = schemas.execute("select schema_name from control.placements limit 1").fetchone()
    with psycopg.connect(peer.url) as theirs:
        (other,) = theirs.execute("select schema_name from shared_tenant limit 1").fetchone()
        assert theirs.execute(SHAPE, (other,)).fetchall() == schemas.execute(SHAPE, (own,)).fetchall()
        assert theirs.execute(ROWS.format(other)).fetchone() == schemas.execute(ROWS.format(own)).fetchone() == (20,)


def test_a_field_is_sealed_and_opened_beside_the_bare_cipher(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    found = measure(stage, capsys, "field_*")
    assert found.keys() == {"field_encrypt_vs_bare", "field_decrypt_vs_bare"}


def test_one_process_serves_every_schema(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    found = measure(stage, capsys, "schema_tier_backend_mb")["schema_tier_backend_mb"]
    assert found["tenants"] == TINY.schemas
    assert min(found["value"], found["peer_mb"]) > 0


def test_homes_are_made_in_each_tier_and_schemas_in_each_way(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    found = measure(stage, capsys, "create_*")
    assert {f"create_{tier}_home_vs_django_tenants" for tier in ("pool", "schema", "database")} < found.keys()
    with psycopg.connect(stage.peer(PEER_BASE_SCHEMA="t_0").url) as copied:
        assert copied.execute(SHAPE, ("t_1",)).fetchall() == copied.execute(SHAPE, ("t_0",)).fetchall() != []


def test_the_peer_migrates_all_its_schemas(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(stage, capsys, "migrate_500_vs_django_tenants")["migrate_500_vs_django_tenants"]["homes"] == 2
    with psycopg.connect(stage.peer(PEER_FLEET="1").url) as theirs:
        rows = theirs.execute(
            "select table_schema, column_name from information_schema.columns "
            "where table_name = 'settings' and column_name ~ '^note' order by 1, 2"
        ).fetchall()
    assert rows == [(f"t_{schema}", f"note_{note}") for schema in range(2) for note in range(2)]
