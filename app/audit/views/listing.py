"""A list of events as a page and as a file; the portals differ in what they list and in whom they tell it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask.typing import ResponseReturnValue

from app.audit.queries import Event, EventFilter
from app.audit.views.filters import list_action_choices, make_filter, read_state
from app.audit.wording import CSV_HEADER, export_line
from app.core import clock
from app.web.htmx import render
from app.web.tables import Page, csv_response


def show_events(
    page: str, list_page: Callable[[EventFilter, str | None], Page[Event]], *, to_tenant: bool
) -> ResponseReturnValue:
    """Show the events that search and filters leave, a page of them; only staff may narrow them to a tenant."""
    state = read_state(with_tenant=not to_tenant)
    return render(
        page,
        fragment="audit/_events.html",
        state=state,
        page=list_page(make_filter(state), state.cursor),
        actions=list_action_choices(),
        to_tenant=to_tenant,
    )


def send_events(iterate: Callable[[EventFilter], Iterator[Event]], *, to_tenant: bool) -> ResponseReturnValue:
    """Send the newest events that search and filters leave, not only a page of them."""
    events = iterate(make_filter(read_state(with_tenant=not to_tenant)))
    lines = (export_line(event, to_tenant=to_tenant) for event in events)
    return csv_response(f"audit-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, lines)
