"""How long a tenant's writers wait while its home moves, and what the copy costs beside a plain one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

import psycopg
from flask import Flask
from psycopg import sql

from app.core.database.owner import owner_connection
from app.core.tenancy.scopes import Tier
from app.homes.structure import HomeStructure, read_structure
from app.moves import engine
from tests.bench.figures import Figure, tell
from tests.bench.stage import Pool, Stage
from tests.moves.stock import route_to
from tests.moves.writer import writing
from tests.tenant_rows import route_of

LEGS = (Tier.SCHEMA, Tier.DATABASE, Tier.POOL)
ROWS_PER_MB = 1_000
# About a kilobyte a row, as an event with its old and new values may be.
FILL = """
insert into pool.audit_events (tenant_id, id, at, actor_kind, actor_label, actor_search, action, target_kind,
        target_label, target_search, changes, reason)
    select %(tenant)s, uuidv7(), now() - n * interval '1 second', 'member', 'Bob Builder', 'bob builder',
        'member.updated', 'member', 'member ' || n, 'member ' || n, jsonb_build_object('n', n),
        (select string_agg(md5(n::text || m), '') from generate_series(1, 20) m)
    from generate_series(1, %(rows)s) n
"""


def measure_moves(stage: Stage) -> Iterator[Figure]:
    """Move one tenant from tier to tier while it writes; then copy the same rows plainly."""
    pool = stage.pool(stage.scale.pool_tenants[0])
    with pool.app() as app:
        tenant_id = _fill(pool, stage.scale.moved_mb)
        pauses, gaps, seconds, rates = _move_round(app, tenant_id)
        yield Figure.of_rounds(
            "move_write_pause_seconds",
            [max(pauses)],
            "s",
            of_each_leg=[round(pause, 3) for pause in pauses],
            longest_gap_between_commits_seconds=[round(gap, 3) for gap in gaps],
            whole_move_seconds=[round(one, 1) for one in seconds],
            moved_mb=stage.scale.moved_mb,
        )
        plain = [_copy_plainly(pool, tenant_id) for _round in range(2)]
        ours = [_copy_as_a_move(tenant_id) for _round in range(2)]
        yield Figure.of_rounds(
            "move_copy_vs_plain_copy", [one / other for one, other in zip(plain, ours, strict=True)], "plain ÷ ours",
            plain_seconds=plain, move_seconds=ours, commits_of_the_writer=rates,
        )  # fmt: skip


def _fill(pool: Pool, megabytes: int) -> UUID:
    tell(f"filling a home with {megabytes} MB")
    with psycopg.connect(pool.superuser_url, autocommit=True) as connection:
        [(tenant_id,)] = connection.execute("select id from control.tenants where slug = 'bench-00001'").fetchall()
        connection.execute("set session_replication_role = replica")
        connection.execute(FILL, {"tenant": tenant_id, "rows": megabytes * ROWS_PER_MB})
        connection.execute("vacuum analyze pool.audit_events")
    return tenant_id


def _move_round(app: Flask, tenant_id: UUID) -> tuple[list[float], list[float], list[float], list[int]]:
    pauses, gaps, seconds, commits = [], [], [], []
    for tier in LEGS:
        tell(f"moving to the {tier}")
        with writing(app, tenant_id) as writer:
            route = route_to(route_of(tenant_id), tier, "main")
            began = time.monotonic()
            engine.check(route)
            copied = engine.copy(route, lambda _text: None)
            engine.catch_up(route, lambda _text: None)
            pauses.append(engine.turn(route, row_count=copied.row_count).pause_seconds)
            engine.tidy(route)
            seconds.append(time.monotonic() - began)
        gaps.append(writer.longest_gap_seconds)
        commits.append(writer.commits)
        engine.purge(route)
    return pauses, gaps, seconds, commits


def _copy_as_a_move(tenant_id: UUID) -> float:
    route = route_to(route_of(tenant_id), Tier.SCHEMA, "main")
    began = time.monotonic()
    engine.copy(route, lambda _text: None)
    seconds = time.monotonic() - began
    engine.give_up(route)
    return seconds


def _copy_plainly(pool: Pool, tenant_id: UUID) -> float:
    """Copy the same rows without row-level security and without comparing them, into the same keys and indexes."""
    with owner_connection() as owner:
        structure = read_structure(owner, "pool")
    source = psycopg.connect(pool.superuser_url)
    target = psycopg.connect(pool.superuser_url)
    began = time.monotonic()
    with source, target:
        target.execute("create schema plain; set local search_path to plain")
        target.execute(structure.render_tables().encode())
        for table in structure.tables:
            _pipe(source, target, structure, table, tenant_id)
        target.execute(structure.render_guards().encode())
    seconds = time.monotonic() - began
    with psycopg.connect(pool.superuser_url) as cleaner:
        cleaner.execute("drop schema plain cascade")
    return seconds


def _pipe(
    source: psycopg.Connection, target: psycopg.Connection, structure: HomeStructure, table: str, tenant_id: UUID
) -> None:
    columns = sql.SQL(", ".join(structure.columns(table)))
    rows = sql.SQL("copy (select {} from pool.{} where tenant_id = {}) to stdout (format binary)")
    reading = rows.format(columns, sql.SQL(table), sql.Literal(tenant_id))
    writing_to = sql.SQL("copy plain.{} ({}) from stdin (format binary)").format(sql.SQL(table), columns)
    with source.cursor().copy(reading) as out, target.cursor().copy(writing_to) as into:
        for block in out:
            into.write(block)
