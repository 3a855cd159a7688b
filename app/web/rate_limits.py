"""Rate limits of what anybody may call: counted in Redis, in this process's memory while Redis is gone."""

from __future__ import annotations

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from app.core.config import Settings

limiter = Limiter(key_func=get_remote_address, headers_enabled=True, swallow_errors=False)


def init_rate_limits(app: Flask, settings: Settings) -> None:
    """Count in Redis; without it, count here: neither open to all nor an error."""
    assert settings.redis_url is not None  # noqa: S101  # init_redis has refused an app without it.
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.redis_url.get_secret_value(),
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1, "socket_timeout": 1},
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_STRATEGY="fixed-window",
    )
    limiter.init_app(app)
