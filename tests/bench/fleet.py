"""How long a fleet takes: a run against the same statements as plain SQL, and a look at homes that are all current."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from app.core.actors import Actor
from app.core.database.migrations import render_upgrade
from app.core.database.owner import owner_connection
from app.core.database.versions import newest_version
from app.core.ids import new_id
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import platform_scope
from app.homes import queries, run_steps, services
from app.homes.models import RunState
from app.operations.runner import run_operation
from tests.bench.figures import Figure, tell
from tests.bench.peers import Peer
from tests.bench.schemas import make_schemas
from tests.bench.stage import Stage
from tests.homes.releases import Release, use_release

ACTOR = Actor.system("bench")


def measure_fleet(stage: Stage) -> Iterator[Figure]:
    """Migrate so many homes forth, each round a revision further, in turns with plain SQL on as many schemas."""
    scale = stage.scale
    with stage.fleet("bench_fleet").app(), _next_release() as release:
        schemas = _make_homes(scale.fleet)
        rounds = [_round(release, schemas, number) for number in range(scale.fleet_rounds + 1)][1:]
        ours, plain = [first for first, _second in rounds], [second for _first, second in rounds]
        ratios = [first / second for first, second in rounds]
        known = {"homes": scale.fleet, "seconds": _short(ours), "plain_seconds": _short(plain)}
        yield Figure.of_rounds("migrate_500_vs_plain_sql", ratios, "ratio", **known)
        _make_homes(scale.big_fleet - scale.fleet)
        _run()
        idle = [_look() for _round_number in range(scale.fleet_rounds + 1)][1:]
        yield Figure.of_rounds("migrate_noop_1000_seconds", idle, "s", homes=scale.big_fleet)


def measure_fleet_of_peer(stage: Stage) -> Iterator[Figure]:
    """Migrate so many homes forth, in turns with as many schemas of the peer by its own parallel executor."""
    scale, peer = stage.scale, stage.peer(PEER_FLEET="1")
    with stage.fleet("bench_fleet_beside_peer").app(), _next_release() as release:
        _make_homes(scale.fleet)
        tell(f"building {scale.fleet} schemas of the peer")
        for number in range(scale.fleet):
            peer.do("create", schema=f"t_{number}", slug=f"fleet-{number}")
        rounds = [_round_of_peer(release, peer, number) for number in range(scale.peer_rounds + 1)][1:]
    ours, theirs = [first for first, _second in rounds], [second for _first, second in rounds]
    ratios = [first / second for first, second in rounds]
    known = {"homes": scale.fleet, "seconds": _short(ours), "peer_seconds": _short(theirs)}
    yield Figure.of_rounds("migrate_500_vs_django_tenants", ratios, "ours ÷ peer", **known)


def _round_of_peer(release: Release, peer: Peer, number: int) -> tuple[float, float]:
    """Return the seconds of a run and those of the peer's command for a column more in one table."""
    tell(f"fleet round {number} beside the peer")
    _migrate_one_further(release, number)
    began = time.perf_counter()
    _run()
    ours = time.perf_counter() - began
    peer.add_column("settings", f"note_{number}")
    return ours, peer.migrate()


@contextmanager
def _next_release() -> Iterator[Release]:
    with TemporaryDirectory() as folder, use_release(Path(folder) / "migrations") as release:
        yield release


def _make_homes(count: int) -> list[str]:
    tell(f"building {count} homes")
    schemas = [f"t_{new_id().hex}" for _home in range(count)]
    make_schemas(schemas)
    return schemas


def _round(release: Release, schemas: Sequence[str], number: int) -> tuple[float, float]:
    """Return the seconds of a run and those of plain SQL for the same change, the later one on top of the earlier."""
    tell(f"fleet round {number}")
    _migrate_one_further(release, number * 2)
    began = time.perf_counter()
    _run()
    ours = time.perf_counter() - began
    before, wanted = newest_version("tenant"), _migrate_one_further(release, number * 2 + 1)
    script = render_upgrade(Roles("tenantry"), "tenant", before, wanted)
    began = time.perf_counter()
    with owner_connection() as connection:
        for schema in schemas:
            connection.execute(f"set local search_path to {schema}; {script}")
    plain = time.perf_counter() - began
    with owner_connection() as connection:
        connection.execute("update tenancy.home_versions set version = %s where schema_name ~ '^t_'", (wanted,))
    return ours, plain


def _migrate_one_further(release: Release, number: int) -> str:
    add = f'op.execute("alter table settings add column note_{number} text")'
    return release.add(add, f'op.execute("alter table settings drop column note_{number}")')


def _run() -> None:
    with platform_scope("bench"):
        run_id = services.start_run(max_failure_ratio=0.0, actor=ACTOR)
        operation_id = queries.get_run(run_id).operation_id
    run_operation(operation_id)
    with platform_scope("bench"):
        run, counts = queries.get_run(run_id), queries.count_run_homes(run_id)
        assert (run.state, counts.failed, counts.pending) == (RunState.DONE, 0, 0)


def _look() -> float:
    began = time.perf_counter()
    assert not run_steps.is_behind()
    return time.perf_counter() - began


def _short(seconds: Sequence[float]) -> float:
    return round(median(seconds), 3)
