"""Reading audit events: the platform's are the control plane's, a tenant's are those of its home besides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select, tuple_

from app.audit.models import ControlAuditEvent, HomeAuditEvent
from app.core.database.session import db
from app.core.search import normalise_search
from app.web.tables import Cursor, Page, build_page, decode_cursor

PAGE_ROWS = 50
EXPORT_ROWS = 50_000
BATCH_ROWS = 1_000
Event = ControlAuditEvent | HomeAuditEvent
EventModel = type[ControlAuditEvent] | type[HomeAuditEvent]


@dataclass(frozen=True)
class EventFilter:
    """Which events a list shows.

    Shape: `text` is the beginning of the target's name, a request id, or the id of a target or an event; `actor` the
    beginning of the actor's name; `about` names a tenant: its events, and those about it that it must not read. The
    period is half-open.
    """

    text: str = ""
    actor: str | None = None
    action: str | None = None
    about: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_events(wanted: EventFilter, cursor: str | None = None) -> Page[Event]:
    """Return a page of the control plane's events, newest first."""
    return _page((ControlAuditEvent,), wanted, cursor)


def list_tenant_events(wanted: EventFilter, cursor: str | None = None) -> Page[Event]:
    """Return a page of the running tenant's events, those of its home and those of the control plane as one story."""
    return _page((ControlAuditEvent, HomeAuditEvent), wanted, cursor)


def iterate_events(wanted: EventFilter) -> Iterator[Event]:
    """Yield the control plane's newest events for an export, up to its limit."""
    return _iterate((ControlAuditEvent,), wanted)


def iterate_tenant_events(wanted: EventFilter) -> Iterator[Event]:
    """Yield the running tenant's newest events for an export, up to its limit."""
    return _iterate((ControlAuditEvent, HomeAuditEvent), wanted)


def _page(models: tuple[EventModel, ...], wanted: EventFilter, cursor: str | None) -> Page[Event]:
    place = decode_cursor(cursor, "", (datetime, UUID))
    rows = _fetch(models, wanted, place, PAGE_ROWS + 1)
    return build_page(rows, limit=PAGE_ROWS, cursor=place, sort="", values=_position)


def _iterate(models: tuple[EventModel, ...], wanted: EventFilter) -> Iterator[Event]:
    place, left = None, EXPORT_ROWS
    while left > 0 and (rows := _fetch(models, wanted, place, min(left, BATCH_ROWS))):
        yield from rows
        place, left = Cursor(_position(rows[-1])), left - len(rows)


def _fetch(models: tuple[EventModel, ...], wanted: EventFilter, place: Cursor | None, most: int) -> list[Event]:
    """Return the nearest events beyond a place, nearest first, of all the tables."""
    rows: list[Event] = []
    for model in models:
        rows += db.session.scalars(_beyond(model, _matching(model, wanted), place).limit(most))
    rows.sort(key=_position, reverse=place is None or not place.backward)
    return rows[:most]


def _matching(model: EventModel, wanted: EventFilter) -> Select[Event]:
    statement: Select[Event] = select(model)
    if wanted.text:
        statement = statement.where(_search(model, wanted.text))
    if wanted.actor:
        statement = statement.where(model.actor_search.op("^@")(normalise_search(wanted.actor)))
    if wanted.action:
        statement = statement.where(model.action == wanted.action)
    if wanted.about:
        statement = statement.where(or_(model.tenant_id == wanted.about, model.target_id == wanted.about))
    if wanted.since:
        statement = statement.where(model.at >= wanted.since)
    if wanted.until:
        statement = statement.where(model.at < wanted.until)
    return statement


def _search(model: EventModel, text: str) -> ColumnElement[bool]:
    of_request = model.request_id == text
    try:
        some_id = UUID(text)
    except ValueError:
        # ^@ finds a prefix through an index; LIKE cannot reach one under row-level security.
        return or_(model.target_search.op("^@")(normalise_search(text)), of_request)
    return or_(model.target_id == some_id, model.id == some_id, of_request)


def _beyond(model: EventModel, statement: Select[Event], place: Cursor | None) -> Select[Event]:
    position = tuple_(model.at, model.id)
    if place is not None and place.backward:
        return statement.where(position > tuple_(*place.values)).order_by(model.at, model.id)
    if place is not None:
        statement = statement.where(position < tuple_(*place.values))
    return statement.order_by(model.at.desc(), model.id.desc())


def _position(event: Event) -> tuple[datetime, UUID]:
    return event.at, event.id
