"""What a run knows and writes of itself: over the owner's connection to the main database, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from app.core.database.home_versions import HomeKey, HomeVersion
from app.core.database.versions import TEMPLATE_SCHEMA
from app.homes.fleet import CANARY_TAG, Ring
from app.homes.migrating import HomeToMigrate, Outcome, wanted_version
from app.homes.ready_homes import is_ready_name

# One that was taken off the registry leaves its pool's version behind.
_SERVERS = """
select server from control.home_versions v
where tier = 'pool' and (server = 'main' or exists (select from control.placements p where p.server = v.server)
    or exists (select from control.servers s where s.name = v.server and s.state = 'ready'))
order by (server <> 'main'), server
"""
_FLEET = """
select server, database_name, schema_name, version, tenancy_version from control.home_versions
where tier <> 'pool' order by 1, 2, 3
"""
_SYNC = """
insert into control.home_versions
    (server, database_name, schema_name, tier, version, tenancy_version, migrated_at)
select %s, '', n.schema_name, case n.schema_name when 'pool' then 'pool' else 'schema' end, n.version, n.tenancy,
    clock_timestamp()
from unnest(%s::text[], %s::text[], %s::text[]) n (schema_name, version, tenancy)
on conflict (server, database_name, schema_name) do update
    set version = excluded.version, tenancy_version = excluded.tenancy_version, migrated_at = excluded.migrated_at
    where (home_versions.version, home_versions.tenancy_version) <> (excluded.version, excluded.tenancy_version)
"""
_CANARIES = """
select p.server, p.database_name, p.schema_name from control.placements p
join control.tenant_tags t on t.tenant_id = p.tenant_id where t.tag = %s and p.tier <> 'pool'
"""
_PLAN = """
insert into control.fleet_run_homes
    (run_id, server, database_name, schema_name, ring, place, from_version, to_version, state)
select %s, server, database_name, schema_name, ring, place, version, %s, 'pending'
from unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::int[], %s::text[])
    n (server, database_name, schema_name, ring, place, version)
on conflict do nothing
"""
_PENDING_SERVERS = """
select server, database_name, schema_name from control.fleet_run_homes
where run_id = %s and state = 'pending' and ring = %s order by place
"""
_NEXT = """
select h.server, h.database_name, h.schema_name, v.version, v.tenancy_version, h.to_version,
    coalesce(t.activity = 'moving', false)
from control.fleet_run_homes h
join control.home_versions v using (server, database_name, schema_name)
left join control.placements p using (server, database_name, schema_name)
left join control.tenants t on t.id = p.tenant_id
where h.run_id = %s and h.state = 'pending' and h.ring = %s and v.tier <> 'pool'
order by h.place limit %s
"""
_OUTCOMES = """
with news as (
    select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::float8[])
        n (server, database_name, schema_name, version, tenancy, error, seconds)
), copied as (
    update control.home_versions v
    set version = n.version, tenancy_version = n.tenancy, migrated_at = clock_timestamp()
    from news n where n.version is not null
        and (v.server, v.database_name, v.schema_name) = (n.server, n.database_name, n.schema_name)
)
update control.fleet_run_homes h
set state = case when n.error is null then 'done' else 'failed' end, error = n.error, seconds = n.seconds,
    finished_at = clock_timestamp()
from news n where h.run_id = %s
    and (h.server, h.database_name, h.schema_name) = (n.server, n.database_name, n.schema_name)
"""
_PROGRESS = """
select r.state, r.max_failure_ratio, count(h.*) filter (where h.state = 'failed'),
    count(h.*) filter (where h.state <> 'pending')
from control.fleet_runs r left join control.fleet_run_homes h
    on h.run_id = r.id and h.ring > 0 and h.finished_at >= r.judged_from
where r.id = %s group by r.id
"""
_STOP = """
update control.fleet_runs set state = 'stopped', finished_at = clock_timestamp() where id = %s and state = 'running'
"""


class Progress(NamedTuple):
    """Where a run stands, its servers' own databases not counted."""

    state: str
    max_failure_ratio: float
    failed: int
    attempted: int


Control = psycopg.Connection[Any]


def list_servers(control: Control) -> list[str]:
    """Return every server that was prepared for homes, the main one first."""
    return [name for (name,) in control.execute(_SERVERS)]


def list_fleet(control: Control) -> dict[HomeKey, HomeVersion]:
    """Return every home in a schema or database of its own with its version, as routing knows it."""
    return {HomeKey(*row[:3]): HomeVersion(*row[3:]) for row in control.execute(_FLEET)}


def sync_versions(control: Control, server: str, found: dict[str, HomeVersion]) -> None:
    """Bring routing's copy up to what a server's own database has said of its homes; ready ones are nobody's."""
    homes = {schema for schema in found if schema != TEMPLATE_SCHEMA and not is_ready_name(schema)}
    rows = sorted((schema, *found[schema]) for schema in homes)
    control.execute(_SYNC, (server, *_columns(rows, 3)))


def list_canaries(control: Control) -> set[HomeKey]:
    """Return the homes of the tenants that go first."""
    return {HomeKey(*row) for row in control.execute(_CANARIES, (CANARY_TAG,))}


def plan_homes(
    control: Control, run_id: UUID, to_version: str, homes: Iterable[tuple[HomeKey, Ring]], found: dict[HomeKey, str]
) -> None:
    """Write which homes a run comes to; those that it knows already stay as they are."""
    rows = [(*home, int(ring), place, found[home]) for place, (home, ring) in enumerate(homes)]
    control.execute(_PLAN, (run_id, to_version, *_columns(rows, 6)))


def list_pending_servers(control: Control, run_id: UUID) -> list[HomeKey]:
    """Return the servers' own databases that a run has still to come to."""
    return [HomeKey(*row) for row in control.execute(_PENDING_SERVERS, (run_id, int(Ring.SERVERS)))]


def next_homes(control: Control, run_id: UUID, ring: Ring, limit: int) -> tuple[list[HomeToMigrate], list[HomeKey]]:
    """Return the next homes of a ring that wait, and those among them that are being moved."""
    rows = control.execute(_NEXT, (run_id, int(ring), limit)).fetchall()
    homes, moving = [], []
    for server, database, schema, version, tenancy, to_version, is_moving in rows:
        key, found = HomeKey(server, database, schema), HomeVersion(version, tenancy)
        if is_moving:
            moving.append(key)
        else:
            homes.append(HomeToMigrate(key, found, wanted_version(key, found, to_version)))
    return homes, moving


def record_outcomes(control: Control, run_id: UUID, outcomes: Sequence[Outcome]) -> None:
    """Write what became of homes, for the run and for routing, in one transaction."""
    rows = [
        (*each.key, *(each.version or (None, None)), each.error, each.seconds)
        for each in sorted(outcomes, key=lambda each: each.key)
    ]
    control.execute(_OUTCOMES, (*_columns(rows, 7), run_id))


def read_progress(control: Control, run_id: UUID) -> Progress:
    """Return where a run stands."""
    row = control.execute(_PROGRESS, (run_id,)).fetchone()
    assert row is not None  # noqa: S101  # A run's row is never deleted.
    return Progress(*row)


def stop_run(control: Control, run_id: UUID) -> None:
    """Let a run come to no more homes, unless somebody has paused it meanwhile."""
    control.execute(_STOP, (run_id,))


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [[row[number] for row in rows] for number in range(count)]
