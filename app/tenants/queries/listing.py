"""The list of tenants: search, filters, order and place as one statement that an index always serves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.core.database.session import db
from app.core.search import normalise_search
from app.plans.models import Plan
from app.tenants.models import Tenant, TenantPlacement, TenantTag
from app.tenants.status import TenantStatus
from app.web.tables import CursorValue, Page, TableState, build_page, decode_cursor

PAGE_ROWS = 50
MOST_COUNTED = 1_000
EXPORT_BATCH_ROWS = 500
Rows = Select[*tuple[Any, ...]]
FILTERS = ("status", "plan", "region", "tier", "server", "tag", "origin")
CLONES, ORIGINALS = "clones", "originals"
DEFAULT_SORT = "-created"


@dataclass(frozen=True)
class TenantLine:
    """One tenant as the list and its export show it."""

    id: UUID
    slug: str
    name: str
    status: str
    plan_key: str
    plan: str
    region: str
    owner_name: str
    owner_email: str
    created_at: datetime
    tier: str | None
    server: str | None
    name_search: str
    tags: list[str]
    cloned_from: str | None
    expires_on: date | None


@dataclass(frozen=True)
class Total:
    """How many rows there are, counted up to a bound."""

    count: int
    is_exact: bool

    @property
    def text(self) -> str:
        """Say how many, and no more than is known."""
        if not self.is_exact:
            return f"More than {self.count:,} tenants"
        return "1 tenant" if self.count == 1 else f"{self.count:,} tenants"


@dataclass(frozen=True)
class _Sort:
    columns: tuple[Any, ...]
    kinds: tuple[type, ...]
    values: Callable[[TenantLine], tuple[CursorValue, ...]]


# Each is the column list of one index, and each ends in a key, so that no two rows share a place.
SORTS = {
    "created": _Sort((Tenant.created_at, Tenant.id), (datetime, UUID), lambda line: (line.created_at, line.id)),
    "name": _Sort((Tenant.name_search, Tenant.id), (str, UUID), lambda line: (line.name_search, line.id)),
    "slug": _Sort((Tenant.slug,), (str,), lambda line: (line.slug,)),
}


def list_tenants(state: TableState) -> Page[TenantLine]:
    """Return the page of tenants that the state names."""
    sort = SORTS[state.sort]
    order = f"-{state.sort}" if state.descending else state.sort
    cursor = decode_cursor(state.cursor, order, sort.kinds)
    backward = cursor is not None and cursor.backward
    statement = page_statement(state, cursor.values if cursor else None, backward=backward)
    lines = list(_lines(db.session.execute(statement)))
    return build_page(lines, limit=PAGE_ROWS, cursor=cursor, sort=order, values=sort.values)


def count_tenants(state: TableState) -> Total:
    """Count what search and filters leave, up to a bound, so that it costs the same over any number of tenants."""
    count = db.session.scalar(count_statement(state)) or 0
    return Total(min(count, MOST_COUNTED), is_exact=count <= MOST_COUNTED)


def iterate_tenants(state: TableState) -> Iterator[TenantLine]:
    """Yield every tenant that search and filters leave, in order, a batch in memory at a time."""
    statement = _ordered(_narrowed(_columns(), state), state, descending=state.descending)
    yield from _lines(db.session.execute(statement.execution_options(yield_per=EXPORT_BATCH_ROWS)))


def list_lines(tenant_ids: Sequence[UUID]) -> list[TenantLine]:
    """Return the tenants of these ids by name; an unknown id has no line."""
    statement = _columns().where(Tenant.id.in_(tenant_ids)).order_by(Tenant.name_search, Tenant.id)
    return list(_lines(db.session.execute(statement)))


def page_statement(state: TableState, place: tuple[CursorValue, ...] | None = None, *, backward: bool = False) -> Rows:
    """Return the statement of one page, with one row more than a page shows."""
    descending = state.descending != backward
    statement = _narrowed(_columns(), state)
    if place is not None:
        here = tuple_(*SORTS[state.sort].columns)
        statement = statement.where(here < place if descending else here > place)
    return _ordered(statement, state, descending=descending).limit(PAGE_ROWS + 1)


def count_statement(state: TableState) -> Rows:
    """Return the statement that counts up to one beyond the bound."""
    found = _narrowed(select(Tenant.id), state).limit(MOST_COUNTED + 1).subquery()
    return select(func.count()).select_from(found)


def has_beginning(text: str) -> ColumnElement[bool]:
    """Return the condition that a tenant's name or slug begins with a text."""
    # LIKE is not leakproof and would never reach an index under row-level security.
    prefix = normalise_search(text)
    return or_(Tenant.name_search.op("^@")(prefix), Tenant.slug.op("^@")(prefix))


def _columns() -> Rows:
    tags = select(TenantTag.tag).where(TenantTag.tenant_id == Tenant.id).order_by(TenantTag.tag).scalar_subquery()
    statement = select(
        Tenant.id,
        Tenant.slug,
        Tenant.name,
        Tenant.status,
        Plan.key.label("plan_key"),
        Plan.name.label("plan"),
        Tenant.region,
        Tenant.owner_name,
        Tenant.owner_email,
        Tenant.created_at,
        _of_placement(TenantPlacement.tier).label("tier"),
        _of_placement(TenantPlacement.server).label("server"),
        Tenant.name_search,
        func.array(tags).label("tags"),
        _name_of_source().label("cloned_from"),
        Tenant.expires_on,
    )
    return statement.join(Plan, Plan.id == Tenant.plan_id)


def _of_placement(column: InstrumentedAttribute[str]) -> Any:
    # A look for each row of a page; a join would read every placement.
    return select(column).where(TenantPlacement.tenant_id == Tenant.id).scalar_subquery()


def _name_of_source() -> Any:
    source = aliased(Tenant)
    return select(source.name).where(source.id == Tenant.cloned_from_id).correlate(Tenant).scalar_subquery()


def _narrowed(statement: Rows, state: TableState) -> Rows:
    for condition in _conditions(state):
        statement = statement.where(condition)
    return statement


def _conditions(state: TableState) -> Iterator[ColumnElement[bool]]:
    if state.search:
        is_address = "@" in state.search.strip("@")
        yield Tenant.owner_email == state.search.lower() if is_address else has_beginning(state.search)
    filters = state.filters
    # A deleted tenant is shown to whoever asks for one; sign-ups that nobody confirmed end up there.
    yield Tenant.status == filters["status"] if "status" in filters else Tenant.status != TenantStatus.DELETED.value
    if "plan" in filters:
        yield Tenant.plan_id == select(Plan.id).where(Plan.key == filters["plan"]).scalar_subquery()
    if "region" in filters:
        yield Tenant.region == filters["region"]
    for name, column in (("tier", TenantPlacement.tier), ("server", TenantPlacement.server)):
        if name in filters:
            yield Tenant.id.in_(select(TenantPlacement.tenant_id).where(column == filters[name]))
    if "origin" in filters:
        yield Tenant.cloned_from_id.is_not(None) if filters["origin"] == CLONES else Tenant.cloned_from_id.is_(None)
    if "tag" in filters:
        yield Tenant.id.in_(select(TenantTag.tenant_id).where(TenantTag.tag == filters["tag"]))


def _ordered(statement: Rows, state: TableState, *, descending: bool) -> Rows:
    columns = SORTS[state.sort].columns
    return statement.order_by(*(column.desc() if descending else column.asc() for column in columns))


def _lines(rows: Iterable[Row[Any]]) -> Iterator[TenantLine]:
    return (TenantLine(**row._mapping) for row in rows)
