"""The request id, made or kept from a trusted proxy's header, and one access line a request."""

from __future__ import annotations

import re
import time

import structlog
from flask import Flask, Response, g, got_request_exception, request

from app.core.ids import new_id
from app.web.hosts import current_place

_GIVEN = re.compile(r"^[A-Za-z0-9._-]{8,64}$")
log = structlog.get_logger()


def init_request_log(app: Flask) -> None:
    """Bind the request id to every log line of a request and write its access line."""
    app.before_request(_begin)
    app.after_request(_end)
    got_request_exception.connect(_log_exception, app)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _GIVEN.match(given) else str(new_id())
    g.started = time.perf_counter()
    structlog.contextvars.bind_contextvars(request_id=g.request_id, surface=current_place().surface.value)


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    milliseconds = round((time.perf_counter() - g.started) * 1000, 1)
    # The path without its query: a token in a mail's link must not reach the log.
    path = request.url_rule.rule if request.url_rule is not None else "(no route)"
    log.info("request", method=request.method, route=path, status=response.status_code, milliseconds=milliseconds)
    structlog.contextvars.clear_contextvars()
    return response


def _log_exception(_app: Flask, exception: BaseException) -> None:
    log.error("request_failed", exc_info=exception)
