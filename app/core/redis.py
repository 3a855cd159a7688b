"""Redis: the doorbell and the queue, never the truth."""

from __future__ import annotations

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.config import Settings, SettingsError

TIMEOUT_SECONDS = 2


def init_redis(app: Flask, settings: Settings) -> None:
    """Give the application its Redis; nothing connects yet.

    Errors: SettingsError when its address is missing.
    """
    if settings.redis_url is None:
        raise SettingsError("REDIS_URL is missing; `make run` starts a Redis, other processes need its address.")
    app.extensions["tenantry_redis"] = Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=TIMEOUT_SECONDS,
        # Longer than the worker's blocking pop, which answers every few seconds at the latest.
        socket_timeout=30,
        health_check_interval=30,
        # Once, for a connection that went stale; the client's default waits four seconds inside a request.
        retry=Retry(NoBackoff(), 1),
    )


def get_redis() -> Redis:
    """Return the running application's Redis."""
    found: Redis = current_app.extensions["tenantry_redis"]
    return found
