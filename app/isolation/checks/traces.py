"""Traces: planted values where none belongs, in logs, in Redis, in jobs and in the control plane."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from redis import Redis, RedisError
from sqlalchemy import text

from app.core.database.session import db
from app.core.redis import get_redis
from app.core.runtime import current_settings
from app.core.tenancy.scopes import platform_scope
from app.isolation.canaries import Pair
from app.isolation.grounds import enter
from app.isolation.outcomes import Breach, Check, NotTried

WALL = "traces"
MOST_LOG_BYTES = 10_000_000
MOST_KEYS = 20_000
MOST_MEMBERS = 1_000
MOST_ROWS = 10_000
MOST_UNPACKED_BYTES = 10_000_000
# The newest rows of what the platform keeps; no home's value belongs there.
_CONTROL = ("audit_events", "job_index", "moves", "operations", "outbox", "tenant_notes", "tenants")
_FIND = """
select count(*) from (select t::text as line from control.{} t order by id desc limit {}) x
where strpos(line, :a) > 0 or strpos(line, :b) > 0
"""
_OWN_JOBS = "select count(*) from (select t::text as line from tenancy.outbox t limit %s) x where strpos(line, %s) > 0"


def make_trace_checks(lines: list[str]) -> tuple[Check, ...]:
    """Return the checks that come last; `lines` is what the checks before them have logged."""
    return (
        Check("traces.logs", WALL, "No planted value is in the logs", lambda pair: search_logs(pair, lines)),
        Check("traces.redis", WALL, "No planted value is in Redis", search_redis),
        Check("traces.jobs", WALL, "No planted value is in jobs or in the control plane", search_rows),
    )


def search_logs(pair: Pair, lines: list[str]) -> str:
    """Search what this probe has logged, and the ends of the instance's log files."""
    if any(_is_planted(line.encode(), pair) for line in lines):
        raise Breach("A line that this probe has caused holds a planted value.")
    files = sorted((current_settings().var_dir / "log").glob("*.log"))
    for path in files:
        if _is_planted(_read_end(path), pair):
            raise Breach(f"Log file {path.name} holds a planted value.")
    return f"{len(lines)} lines of this probe and {len(files)} log files hold none."


def search_redis(pair: Pair) -> str:
    """Search keys and values: caches, queues, the data of jobs also where it is packed."""
    redis, count = get_redis(), 0
    try:
        for key in redis.scan_iter(count=MOST_MEMBERS):
            count += 1
            if count > MOST_KEYS:
                raise NotTried(f"Redis holds more than {MOST_KEYS:,} keys.")
            if any(_is_planted(value, pair) for value in (key, *_read_values(redis, key))):
                raise Breach("A key or a value in Redis holds a planted value.")
    except RedisError as error:
        raise NotTried(f"Redis does not answer ({type(error).__name__}).") from error
    return f"{count} keys with their values hold none."


def search_rows(pair: Pair) -> str:
    """Search the control plane as the platform, and the outbox of the server as canary A."""
    needles = {"a": pair.a.planted, "b": pair.b.planted}
    with platform_scope("isolation probe"):
        for table in _CONTROL:
            found = db.session.scalar(text(_FIND.format(table, MOST_ROWS)), needles)
            if found:
                raise Breach(f"control.{table}: {found} rows hold a planted value.")
    with enter(pair, pair.a) as connection:
        row = connection.execute(_OWN_JOBS, (MOST_ROWS, pair.b.planted)).fetchone()
        if row is None or row[0]:
            raise Breach("tenancy.outbox: a job of one canary holds a value of the other.")
    return f"The newest rows of {len(_CONTROL)} tables of the control plane and the server’s outbox hold none."


def _is_planted(value: bytes, pair: Pair) -> bool:
    return any(
        canary.planted.encode() in each for each in (value, _unpack(value)) for canary in (pair.a, pair.b) if each
    )


def _unpack(value: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(value, MOST_UNPACKED_BYTES)
    except zlib.error:
        return b""  # It is not packed, and was searched as it is.


def _read_end(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MOST_LOG_BYTES))
        return file.read(MOST_LOG_BYTES)


def _read_values(redis: Redis, key: bytes) -> Iterator[bytes]:
    found: Any = _READERS.get(redis.type(key), lambda _redis, _key: ())(redis, key)
    yield from _flatten(found)


def _flatten(found: Any) -> Iterator[bytes]:
    if isinstance(found, bytes):
        yield found
    elif isinstance(found, dict):
        for pair in found.items():
            yield from _flatten(pair)
    elif isinstance(found, Iterable) and not isinstance(found, str):
        for each in found:
            yield from _flatten(each)


_READERS: dict[Any, Any] = {
    b"string": lambda redis, key: redis.get(key),
    b"hash": lambda redis, key: redis.hgetall(key),
    b"list": lambda redis, key: redis.lrange(key, 0, MOST_MEMBERS),
    b"set": lambda redis, key: redis.smembers(key),
    b"zset": lambda redis, key: redis.zrange(key, 0, MOST_MEMBERS),
    b"stream": lambda redis, key: redis.xrange(key, count=MOST_MEMBERS),
}
