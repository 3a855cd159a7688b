"""Reading moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, tuple_

from app.core.database.session import db, registry
from app.core.errors import NotFoundError, UnavailableError
from app.core.tenancy.scopes import Tier
from app.jobs.outboxes import execute_at
from app.moves.models import FINAL_STATES, Move, MoveState
from app.tenants.models import Tenant
from app.tenants.queries import has_beginning
from app.web.tables import Cursor, Page, TableState, build_page, decode_cursor

PAGE_ROWS = 50
EXPORT_ROWS = 10_000
_HOME_SIZE = text("""
select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_class
where relnamespace = to_regnamespace(:schema) and relkind = 'r'
""")


def get_move(move_id: UUID, *, lock: bool = False) -> Move:
    """Return a move, locked until the transaction ends if asked.

    Errors: NotFoundError.
    """
    statement = select(Move).where(Move.id == move_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    move = db.session.scalar(statement)
    if move is None:
        raise NotFoundError("There is no such move.")
    return move


def find_open_move(tenant_id: UUID) -> Move | None:
    """Return the move of a tenant that has not come to its end."""
    return db.session.scalar(select(Move).where(Move.tenant_id == tenant_id, Move.state.not_in(FINAL_STATES)))


def find_home_bytes(tenant_id: UUID) -> int | None:
    """Return how large a home with tables of its own is; None for one in a pool, whose rows the platform cannot see.

    None also where its server does not answer.
    """
    route = registry().find_route(tenant_id)
    place = route.placement if route else None
    if place is None or place.tier is Tier.POOL:
        return None
    try:
        return int(execute_at(place.address, _HOME_SIZE, {"schema": place.schema}).scalar_one())
    except UnavailableError:
        return None


def search_moves(state: TableState) -> Page[Move]:
    """Return a page of moves, newest first: of tenants whose name or slug begins so, of one state, if asked."""
    place = decode_cursor(state.cursor, "", (datetime, UUID))
    rows = _fetch(state, place, PAGE_ROWS + 1)
    return build_page(rows, limit=PAGE_ROWS, cursor=place, sort="", values=_position)


def iterate_moves(state: TableState) -> Iterator[Move]:
    """Yield the newest moves that search and filter leave, up to an export's limit."""
    place, left = None, EXPORT_ROWS
    while left > 0 and (rows := _fetch(state, place, min(left, 1000))):
        yield from rows
        place, left = Cursor(_position(rows[-1])), left - len(rows)


def list_overdue_moves(at: datetime) -> list[Move]:
    """Return the moves whose old home has been kept long enough."""
    return list(db.session.scalars(select(Move).where(Move.state == MoveState.KEPT, Move.keep_until <= at)))


def _fetch(state: TableState, place: Cursor | None, most: int) -> list[Move]:
    backward = place is not None and place.backward
    statement = select(Move).limit(most)
    if "state" in state.filters:
        statement = statement.where(Move.state == state.filters["state"])
    if state.search:
        statement = statement.where(Move.tenant_id.in_(select(Tenant.id).where(has_beginning(state.search))))
    if place is not None:
        position, beyond = tuple_(Move.created_at, Move.id), tuple_(*place.values)
        statement = statement.where(position > beyond if backward else position < beyond)
    order = (Move.created_at, Move.id) if backward else (Move.created_at.desc(), Move.id.desc())
    return list(db.session.scalars(statement.order_by(*order)))


def _position(row: Move) -> tuple[datetime, UUID]:
    return row.created_at, row.id
