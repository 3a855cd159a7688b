"""Reading the fleet: homes with their versions and differences, and the runs over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_

from app.core.database.session import db
from app.core.database.versions import newest_version, serves
from app.core.errors import NotFoundError
from app.core.search import normalise_search
from app.core.tenancy.scopes import Tier
from app.homes.models import FleetRun, FleetRunHome, HomeCheck, HomeVersionCopy, ReadyHome, RunHomeState
from app.tenants.models import Tenant, TenantPlacement
from app.web.tables import Cursor, Page, TableState, build_page, decode_cursor

PAGE_ROWS = 50
EXPORT_ROWS = 10_000
FAILED_ROWS = 100
SORTS = ("home", "version", "migrated")
DEFAULT_SORT = "home"
STANDINGS = ("current", "behind", "ahead", "failed", "drifted")
_KEY = (HomeVersionCopy.server, HomeVersionCopy.database_name, HomeVersionCopy.schema_name)
_SORTS: dict[str, tuple[tuple[Any, ...], tuple[type, ...]]] = {
    "home": (_KEY, (str, str, str)),
    "version": ((HomeVersionCopy.version, *_KEY), (str, str, str, str)),
    "migrated": ((HomeVersionCopy.migrated_at, *_KEY), (datetime, str, str, str)),
}


@dataclass(frozen=True)
class HomeRow:
    """One home as the board shows it."""

    home: HomeVersionCopy
    tenant_id: UUID | None
    slug: str | None
    check: HomeCheck | None
    error: str | None

    @property
    def name(self) -> str:
        """Return what tells it from the others on its server."""
        return self.home.database_name or self.home.schema_name

    @property
    def label(self) -> str:
        """Return what people call it."""
        return "Pool" if self.home.tier == Tier.POOL else self.slug or self.name

    @property
    def standing(self) -> str:
        """Return how its version compares with this release's."""
        newest = newest_version("tenant")
        if self.home.version == newest:
            return "current"
        return "behind" if self.home.version < newest else "ahead"

    @property
    def is_served(self) -> bool:
        return serves(self.home.version)

    @property
    def difference_count(self) -> int:
        return len(self.check.differences) if self.check is not None else 0


@dataclass(frozen=True)
class VersionCount:
    """How many homes of a tier on a server have a version."""

    server: str
    tier: str
    version: str
    count: int

    @property
    def is_served(self) -> bool:
        return serves(self.version)


@dataclass(frozen=True)
class RunCounts:
    """How many homes of a run are where."""

    done: int
    failed: int
    pending: int

    @property
    def total(self) -> int:
        return self.done + self.failed + self.pending


def count_versions() -> list[VersionCount]:
    """Count homes by server, tier and version."""
    columns = (HomeVersionCopy.server, HomeVersionCopy.tier, HomeVersionCopy.version)
    statement = select(*columns, func.count()).group_by(*columns).order_by(*columns)
    return [VersionCount(*row) for row in db.session.execute(statement)]


def count_ready() -> int:
    """Count the empty homes that wait for tenants, on all servers."""
    return db.session.scalar(select(func.count()).where(ReadyHome.ready_at.is_not(None))) or 0


def count_drifted() -> int:
    """Count the homes that differ from the empty home of their version, or that could not be compared."""
    return db.session.scalar(select(func.count()).select_from(HomeCheck).where(_IS_DRIFTED)) or 0


def find_last_check_at() -> datetime | None:
    """Return when homes were last compared."""
    return db.session.scalar(select(func.max(HomeCheck.checked_at)))


def get_run(run_id: UUID, *, lock: bool = False) -> FleetRun:
    """Return a run, locked until the transaction ends if asked.

    Errors: NotFoundError.
    """
    run = db.session.get(FleetRun, run_id, with_for_update=lock or None, populate_existing=lock)
    if run is None:
        raise NotFoundError("There is no such run.")
    return run


def find_latest_run() -> FleetRun | None:
    """Return the newest run."""
    newest_first = select(FleetRun).order_by(FleetRun.created_at.desc(), FleetRun.id.desc())
    return db.session.scalars(newest_first.limit(1)).first()


def count_run_homes(run_id: UUID) -> RunCounts:
    """Count a run's homes by what has become of them."""
    statement = select(FleetRunHome.state, func.count()).where(FleetRunHome.run_id == run_id)
    found = dict(db.session.execute(statement.group_by(FleetRunHome.state)).all())
    return RunCounts(*(found.get(state, 0) for state in (RunHomeState.DONE, RunHomeState.FAILED, RunHomeState.PENDING)))


def list_failed_run_homes(run_id: UUID, limit: int | None = None) -> list[FleetRunHome]:
    """Return the homes that have failed in a run, in its order."""
    statement = select(FleetRunHome).where(FleetRunHome.run_id == run_id, FleetRunHome.state == RunHomeState.FAILED)
    return list(db.session.scalars(statement.order_by(FleetRunHome.ring, FleetRunHome.place).limit(limit)))


def get_home(server: str, name: str) -> HomeRow:
    """Return one home by its server and its name there.

    Errors: NotFoundError.
    """
    name = name.replace("\x00", "")  # PostgreSQL cannot hold it.
    has_database = HomeVersionCopy.database_name != ""
    is_it = or_(
        and_(has_database, HomeVersionCopy.database_name == name),
        and_(~has_database, HomeVersionCopy.schema_name == name),
    )
    row = db.session.execute(_rows().where(HomeVersionCopy.server == server.replace("\x00", ""), is_it)).first()
    if row is None:
        raise NotFoundError("There is no such home.")
    return HomeRow(*row)


def search_homes(state: TableState) -> Page[HomeRow]:
    """Return a page of homes."""
    columns, kinds = _SORTS[state.sort]
    place = decode_cursor(state.cursor, state.sort_parameter, kinds)
    rows = _fetch(state, place, PAGE_ROWS + 1)
    return build_page(
        rows,
        limit=PAGE_ROWS,
        cursor=place,
        sort=state.sort_parameter,
        values=lambda row: tuple(getattr(row.home, column.key) for column in columns),
    )


def iterate_homes(state: TableState) -> Iterator[HomeRow]:
    """Yield the homes that search and filters leave, for an export, up to its limit."""
    yield from _fetch(state, None, EXPORT_ROWS)


_IS_DRIFTED = or_(func.jsonb_array_length(HomeCheck.differences) > 0, HomeCheck.error.is_not(None))


def _rows() -> Select[Any]:
    """Return every home with its tenant, its newest comparison, and its error in the newest run."""
    key = ("server", "database_name", "schema_name")

    def same(model: Any) -> ColumnElement[bool]:
        return and_(*(getattr(model, name) == getattr(HomeVersionCopy, name) for name in key))

    latest = select(FleetRun.id).order_by(FleetRun.created_at.desc(), FleetRun.id.desc()).limit(1).scalar_subquery()
    columns: tuple[Any, ...] = (HomeVersionCopy, Tenant.id, Tenant.slug, HomeCheck, FleetRunHome.error)
    return (
        select(*columns)
        .outerjoin(TenantPlacement, and_(same(TenantPlacement), HomeVersionCopy.tier != Tier.POOL))
        .outerjoin(Tenant, Tenant.id == TenantPlacement.tenant_id)
        .outerjoin(HomeCheck, same(HomeCheck))
        .outerjoin(FleetRunHome, and_(same(FleetRunHome), FleetRunHome.run_id == latest))
    )


def _fetch(state: TableState, place: Cursor | None, most: int) -> list[HomeRow]:
    """Return the nearest homes beyond a place, nearest first."""
    columns, _kinds = _SORTS[state.sort]
    is_downward = state.descending != (place is not None and place.backward)
    statement = _rows().where(*_conditions(state))
    if place is not None:
        position, beyond = tuple_(*columns), tuple_(*place.values)
        statement = statement.where(position < beyond if is_downward else position > beyond)
    ordered = statement.order_by(*(column.desc() if is_downward else column for column in columns))
    return [HomeRow(*row) for row in db.session.execute(ordered.limit(most))]


def _conditions(state: TableState) -> Iterator[ColumnElement[bool]]:
    if state.search:
        beginning = normalise_search(state.search)
        names = (Tenant.slug, HomeVersionCopy.database_name, HomeVersionCopy.schema_name)
        yield or_(*(name.op("^@", is_comparison=True)(beginning) for name in names))
    if "server" in state.filters:
        yield HomeVersionCopy.server == state.filters["server"]
    if "tier" in state.filters:
        yield HomeVersionCopy.tier == state.filters["tier"]
    if "standing" in state.filters:
        newest = newest_version("tenant")
        yield {
            "current": HomeVersionCopy.version == newest,
            "behind": HomeVersionCopy.version < newest,
            "ahead": HomeVersionCopy.version > newest,
            "failed": FleetRunHome.error.is_not(None),
            "drifted": _IS_DRIFTED,
        }[state.filters["standing"]]
