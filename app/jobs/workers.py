"""Who works: the workers that RQ knows of and the dispatcher's last sign of life, read from Redis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from redis import Redis, RedisError
from rq.utils import as_text, utcparse
from rq.worker_registration import REDIS_WORKER_KEYS

from app.core import clock
from app.jobs.doorbell import find_dispatcher_sign, quick_redis

# An idle worker's heart beats every quarter of a minute, a busy one's every half.
SILENT_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class WorkerRow:
    """One worker process as RQ's registry has it."""

    name: str
    queue: str
    state: str
    host: str
    pid: str
    started_at: datetime
    seen_at: datetime

    @property
    def is_silent(self) -> bool:
        return clock.now() - self.seen_at > SILENT_AFTER


@dataclass(frozen=True)
class Workforce:
    """The workers by queue, and when a dispatcher was last seen."""

    workers: list[WorkerRow]
    dispatcher_seen_at: datetime | None


def find_workforce() -> Workforce | None:
    """Return who works, or None when Redis does not answer.

    RQ's own way to list workers changes the connection's time limit to minutes, so the keys are read as they are.
    """
    client = quick_redis()
    try:
        return Workforce(_list_workers(client), find_dispatcher_sign())
    except RedisError:
        return None


def _list_workers(client: Redis) -> list[WorkerRow]:
    keys = sorted(as_text(key) for key in client.smembers(REDIS_WORKER_KEYS))
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.hgetall(key)
        found = zip(keys, pipeline.execute(), strict=True)
    workers = [_worker(key, values) for key, values in found if b"birth" in values and b"death" not in values]
    return sorted(workers, key=lambda worker: (worker.queue, worker.started_at))


def _worker(key: str, values: dict[bytes, bytes]) -> WorkerRow:
    text = {name.decode(): value.decode() for name, value in values.items()}
    return WorkerRow(
        name=key.rpartition(":")[2],
        queue=text.get("queues", ""),
        state=text.get("state", "starting"),
        host=text.get("hostname", ""),
        pid=text.get("pid", ""),
        started_at=utcparse(text["birth"]),
        seen_at=utcparse(text["last_heartbeat"]),
    )
