"""Structured logs: one JSON object a line, with the request id and the tenant in every one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from app.core.tenancy.scopes import find_scope

_listeners: list[list[str]] = []


def init_logging(level: str) -> None:
    """Send every log line to standard error as JSON."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_tenant,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
            _let_overhear,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=_to_standard_error,
        cache_logger_on_first_use=False,
    )


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Collect every line that this process logs while the block runs, its other threads' included."""
    lines: list[str] = []
    _listeners.append(lines)
    try:
        yield lines
    finally:
        _listeners[:] = [listener for listener in _listeners if listener is not lines]


def _let_overhear(_logger: Any, _method: str, line: Any) -> Any:
    for listener in list(_listeners):
        listener.append(str(line))
    return line


def _to_standard_error(*_names: Any) -> structlog.PrintLogger:
    # Asked for at each line: what standard error was at the start may be closed by now.
    return structlog.PrintLogger(sys.stderr)


def _add_tenant(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    scope = find_scope()
    event["tenant_id"] = str(scope.tenant_id) if scope and scope.tenant_id else None
    return event
