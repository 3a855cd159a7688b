"""From the address of an audit page to the events that it shows; both portals read it the same way."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from flask import request

from app.audit.queries import EventFilter
from app.audit.wording import describe_action
from app.core.audit_actions import AuditAction
from app.web.named_tenants import find_named_tenant
from app.web.tables import TableState


def read_state(*, with_tenant: bool) -> TableState:
    """Read search and filters from the address."""
    filters: dict[str, Collection[str] | None] = {
        "action": list(AuditAction), "actor": None, "since": None, "until": None,
    }  # fmt: skip
    if with_tenant:
        filters["tenant"] = None
    return TableState.from_args(request.args, filters=filters)


def make_filter(state: TableState) -> EventFilter:
    """Turn the state into a filter; a day that is none narrows nothing, and the last day is shown whole."""
    since, until = _day(state.filters.get("since")), _day(state.filters.get("until"))
    return EventFilter(
        text=state.search,
        actor=state.filters.get("actor"),
        action=state.filters.get("action"),
        about=find_named_tenant(state.filters.get("tenant")),
        since=since,
        until=until + timedelta(days=1) if until is not None else None,
    )


def list_action_choices() -> list[tuple[str, str]]:
    """List every action with its words, in their order."""
    return sorted(((action.value, describe_action(action)) for action in AuditAction), key=lambda pair: pair[1])


def _day(text: str | None) -> datetime | None:
    try:
        # The last day of all has no day after it.
        return datetime.combine(min(date.fromisoformat(text or ""), date(9999, 12, 30)), time(), UTC)
    except ValueError:
        return None
