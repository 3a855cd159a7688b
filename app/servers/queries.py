"""Reading servers and the homes on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select, text, tuple_

from app.core.database.budget import ConnectionBudget
from app.core.database.session import db, engines
from app.core.errors import NotFoundError
from app.core.search import normalise_search
from app.core.tenancy.scopes import MAIN_SERVER
from app.operations.models import FINAL_STATES, Operation
from app.servers.models import Server, ServerState
from app.web.tables import Page, TableState, build_page, decode_cursor

PAGE_ROWS = 50
MOST_HOMES = 50
SORTS = ("name", "created")
DEFAULT_SORT = "name"
_SORTS: dict[str, tuple[tuple[Any, ...], tuple[type, ...]]] = {
    "name": ((Server.name,), (str,)),
    "created": ((Server.created_at, Server.id), (datetime, UUID)),
}
# Tenants and homes lie on levels above; their tables are read by their names.
_COUNTS = text("""
select p.server, p.tier, count(*) from control.placements p join control.tenants t on t.id = p.tenant_id
where t.status <> 'deleted' and not t.is_canary and (cast(:server as text) is null or p.server = :server) group by 1, 2
""")
_HOMES = text("""
select t.id, t.slug, t.name, t.status, p.tier from control.placements p join control.tenants t on t.id = p.tenant_id
where t.status <> 'deleted' and not t.is_canary and p.server = :server order by p.tenant_id desc limit :most
""")
_READY = text("""
select tier, count(*) from control.ready_homes where server = :server and ready_at is not null group by 1
""")


@dataclass(frozen=True)
class HomeCounts:
    """How many homes lie on a server, by tier."""

    by_tier: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_tier.values())

    def __getitem__(self, tier: str) -> int:
        return self.by_tier.get(tier, 0)


@dataclass(frozen=True)
class HomeLine:
    """One home on a server."""

    id: UUID
    slug: str
    name: str
    status: str
    tier: str


def get_server(server_id: UUID, *, lock: bool = False) -> Server:
    """Return a server, locked until the transaction ends if asked.

    Errors: NotFoundError.
    """
    server = db.session.get(Server, server_id, with_for_update=lock or None, populate_existing=lock)
    if server is None:
        raise NotFoundError("There is no such server.")
    return server


def find_server_by_name(name: str, *, lock: bool = False) -> Server | None:
    """Return the server of a name, locked until the transaction ends if asked, or None."""
    statement = select(Server).where(Server.name == name)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(statement)


def get_server_by_name(name: str, *, lock: bool = False) -> Server:
    """Return the server of a name, locked until the transaction ends if asked.

    Errors: NotFoundError.
    """
    server = find_server_by_name(name, lock=lock)
    if server is None:
        raise NotFoundError(f"There is no server “{name}”.")
    return server


def list_servers() -> list[Server]:
    """Return every server, the main one first, then by name."""
    return list(db.session.scalars(select(Server).order_by(Server.name != MAIN_SERVER, Server.name)))


def list_open_servers() -> list[Server]:
    """Return the servers that take another home now, the main one first, then by name."""
    counts = count_homes()
    return [server for server in list_servers() if server.takes_homes and _has_room(server, counts)]


def search_servers(state: TableState) -> Page[Server]:
    """Return a page of servers whose name or region begins with the search text, by state and region if filtered."""
    columns, kinds = _SORTS[state.sort]
    order = f"-{state.sort}" if state.descending else state.sort
    cursor = decode_cursor(state.cursor, order, kinds)
    statement, descending = _narrowed(state), state.descending != bool(cursor and cursor.backward)
    if cursor is not None:
        here, there = tuple_(*columns), tuple_(*cursor.values)
        statement = statement.where(here < there if descending else here > there)
    rows = list(db.session.scalars(_ordered(statement, columns, descending=descending).limit(PAGE_ROWS + 1)))
    return build_page(
        rows, limit=PAGE_ROWS, cursor=cursor, sort=order, values=lambda row: tuple(_place(row, state.sort))
    )


def iterate_servers(state: TableState) -> Iterator[Server]:
    """Yield every server that search and filters leave, in order."""
    yield from db.session.scalars(_ordered(_narrowed(state), _SORTS[state.sort][0], descending=state.descending))


def count_homes(server: str | None = None) -> dict[str, HomeCounts]:
    """Count the homes on each server, or on one, by tier; a server without homes is missing."""
    found: dict[str, dict[str, int]] = {}
    for name, tier, count in db.session.execute(_COUNTS, {"server": server}):
        found.setdefault(name, {})[tier] = count
    return {name: HomeCounts(by_tier) for name, by_tier in found.items()}


def count_ready_homes(server: str) -> HomeCounts:
    """Count the empty homes that wait on a server for tenants, by tier."""
    return HomeCounts(dict(db.session.execute(_READY, {"server": server}).all()))


def list_homes(server: str) -> list[HomeLine]:
    """Return the newest homes on a server, as many as its page shows."""
    rows = db.session.execute(_HOMES, {"server": server, "most": MOST_HOMES})
    return [HomeLine(**row._mapping) for row in rows]


def read_budget() -> ConnectionBudget:
    """Return the budget of connections of this process, over all servers."""
    return engines().budget


def find_open_operation(server: str) -> Operation | None:
    """Return an operation on a server that has not ended, or None."""
    return _find_operation(server, Operation.state.not_in(FINAL_STATES))


def find_latest_operation(server: str) -> Operation | None:
    """Return the newest operation on a server, or None."""
    return _find_operation(server)


def _find_operation(server: str, *conditions: Any) -> Operation | None:
    mine = (Operation.tenant_id.is_(None), Operation.payload["server"].astext == server, *conditions)
    newest = select(Operation).where(*mine).order_by(Operation.created_at.desc(), Operation.id.desc())
    return db.session.scalars(newest.limit(1)).first()


def _has_room(server: Server, counts: dict[str, HomeCounts]) -> bool:
    return server.name not in counts or counts[server.name].total < server.capacity


def _narrowed(state: TableState) -> Select[Server]:
    statement = select(Server)
    if state.search:
        prefix = normalise_search(state.search)
        statement = statement.where(or_(Server.name.op("^@")(prefix), Server.region.op("^@")(prefix)))
    if "state" in state.filters:
        statement = statement.where(Server.state == ServerState(state.filters["state"]))
    if "region" in state.filters:
        statement = statement.where(Server.region == state.filters["region"])
    return statement


def _ordered(statement: Select[Server], columns: tuple[Any, ...], *, descending: bool) -> Select[Server]:
    return statement.order_by(*(column.desc() if descending else column.asc() for column in columns))


def _place(server: Server, sort: str) -> tuple[Any, ...]:
    return (server.name,) if sort == "name" else (server.created_at, server.id)
