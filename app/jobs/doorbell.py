"""The doorbell: a Redis list that wakes the dispatcher as soon as there is work, and the dispatcher's sign of life."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from flask import Flask, current_app
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core import clock
from app.core.config import Settings
from app.core.jobs import on_enqueue
from app.core.redis import get_redis
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, find_scope

DOORBELL = "tenantry:doorbell"
DOORS = "tenantry:doors"
MOST_DOORS = 1_000
ADDRESS = "/"
SIGN = "tenantry:dispatcher"
SIGN_SECONDS = 60
RING_SECONDS = 0.5
log = structlog.get_logger()


def init_doorbell(app: Flask, settings: Settings) -> None:
    """Ring after each commit that has enqueued a job."""
    assert settings.redis_url is not None  # noqa: S101  # init_redis has refused that.
    # A request waits for this: unlike the queue's client it neither retries nor waits long for a silent server.
    app.extensions["tenantry_doorbell"] = Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=RING_SECONDS,
        socket_timeout=RING_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    on_enqueue(ring)


def quick_redis() -> Redis:
    """Return a client for requests: it answers or fails within half a second."""
    found: Redis = current_app.extensions["tenantry_doorbell"]
    return found


def ring(address: DatabaseAddress | None = None) -> None:
    """Wake the dispatcher and say at which database; without one, at the running scope's.

    With Redis gone, its next sweep finds the job all the same.
    """
    door = ADDRESS.join(address or _address_of_scope())
    try:
        with quick_redis().pipeline(transaction=False) as pipeline:
            pipeline.sadd(DOORS, door)
            pipeline.lpush(DOORBELL, "1")
            pipeline.ltrim(DOORBELL, 0, 0)
            pipeline.execute()
    except RedisError as error:
        log.warning("doorbell_silent", error=type(error).__name__)


def await_ring(seconds: float) -> set[DatabaseAddress]:
    """Return at the next ring, or after some seconds, with the databases at which it rang."""
    get_redis().blpop([DOORBELL], timeout=seconds)
    doors: Any = get_redis().spop(DOORS, MOST_DOORS)
    return {DatabaseAddress(*door.decode().split(ADDRESS)) for door in doors}


def _address_of_scope() -> DatabaseAddress:
    scope = find_scope()
    return MAIN_DATABASE if scope is None or scope.placement is None else scope.placement.address


def leave_sign() -> None:
    """Note that a dispatcher is at work."""
    get_redis().set(SIGN, clock.now().isoformat(), ex=SIGN_SECONDS)


def find_dispatcher_sign() -> datetime | None:
    """Return when a dispatcher was last at work, None when that is a minute ago.

    Errors: RedisError when Redis does not answer.
    """
    sign = quick_redis().get(SIGN)
    return datetime.fromisoformat(sign.decode()) if isinstance(sign, bytes) else None
