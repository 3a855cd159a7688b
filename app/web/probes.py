"""Liveness and readiness, on any Host."""

from __future__ import annotations

from typing import Any

import psycopg
import redis
from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from app.core.errors import ConfigError, TenantryError
from app.core.redis import get_redis
from app.web.decorators import allow_anybody
from app.web.hosts import Surface

bp = Blueprint("probes", __name__, subdomain=Surface.PROBE)


@bp.get("/healthz")
@allow_anybody("a load balancer has no account")
def show_health() -> ResponseReturnValue:
    """Say that the process is alive; nothing else is asked."""
    return jsonify(status="alive")


@bp.get("/readyz")
@allow_anybody("a load balancer has no account")
def show_readiness() -> ResponseReturnValue:
    """Say whether requests can be served: the database answers at this release's schema, by logins that hold no power.

    A Redis that is down degrades: requests succeed and jobs wait in the database.
    """
    try:
        current_app.extensions["tenantry_login_check"]()
        missing = current_app.extensions["tenantry_schema_check"]()
    except ConfigError:
        return jsonify(status="unavailable", failed=["logins"]), 503, {"Retry-After": "30"}
    except (psycopg.Error, TenantryError):
        return jsonify(status="unavailable", failed=["database"]), 503, {"Retry-After": "5"}
    if missing:
        return jsonify(status="unavailable", failed=["migrations"]), 503, {"Retry-After": "30"}
    body: dict[str, Any] = {"status": "ready"}
    try:
        get_redis().ping()
    except redis.RedisError:
        body["degraded"] = ["redis"]
    return jsonify(body)
