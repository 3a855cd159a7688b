"""The driver: one round trip for a context, savepoints, aborted transactions, and connections that come back clean."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from psycopg.pq import Trace
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InternalError
from sqlalchemy.pool.base import ResetStyle
from structlog.testing import capture_logs

from app.core.config import Settings
from app.core.database.session import db, engines
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import Login, TenantRoute, platform_scope, tenant_scope
from tests.isolation.toy import Toy, read_toys

NAMES = select(Toy.name).order_by(Toy.name)


@pytest.fixture
def engine(acme: TenantRoute) -> Iterator[Engine]:
    """The tenant login's engine, fresh, so that its pool holds the one connection that a test makes."""
    found = engines().for_login(Login.TENANT)
    found.dispose()
    yield found
    found.dispose()


class Trips:
    """Counts how often the client had to wait for the server: a message sent after one was received begins a trip."""

    count = 0


@contextmanager
def round_trips(engine: Engine) -> Iterator[Trips]:
    """Let libpq write down every message of the engine's one pooled connection, and count the trips."""
    trips = Trips()
    with tempfile.TemporaryFile("w+") as log:
        line = pooled(engine)
        line.pgconn.trace(log.fileno())
        line.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        yield trips
        line.pgconn.untrace()
        log.seek(0)
        directions = "".join(message[0] for message in log if message[0] in "FB")
    trips.count = ("B" + directions).count("BF")


def pooled(engine: Engine) -> psycopg.Connection[Any]:
    """Return the driver's connection that waits in the pool."""
    fairy = engine.raw_connection()
    line: psycopg.Connection[Any] = fairy.dbapi_connection
    fairy.close()
    return line


def test_the_context_arrives_in_the_same_round_trip_as_begin(engine: Engine, acme: TenantRoute) -> None:
    with round_trips(engine) as trips, tenant_scope(acme, reason="begin"):
        db.session.connection()
        db.session.commit()
    assert trips.count == 2


def test_a_tenants_transaction_takes_no_more_round_trips_than_a_bare_drivers(
    engine: Engine, acme: TenantRoute, instance: Settings
) -> None:
    url = make_url(instance.database_tenant_url.get_secret_value()).set(drivername="postgresql+psycopg")
    bare = create_engine(url)
    with round_trips(bare) as without_context, bare.begin() as connection:
        connection.execute(text("select 1"))
    with round_trips(engine) as with_context, tenant_scope(acme, reason="read"):
        db.session.execute(text("select 1"))
        db.session.commit()
    bare.dispose()
    assert (without_context.count, with_context.count) == (3, 3)


def test_the_platforms_transaction_takes_no_more_either(app: Any) -> None:
    engine = engines().for_login(Login.PLATFORM)
    engine.dispose()
    with round_trips(engine) as trips, platform_scope("read"):
        db.session.execute(text("select 1"))
        db.session.commit()
    assert trips.count == 3


def test_what_was_set_for_one_transaction_costs_the_next_nothing(engine: Engine, acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="first"):
        db.session.execute(NAMES)
    with round_trips(engine) as trips, tenant_scope(acme, reason="second"):
        db.session.execute(NAMES)
    assert trips.count == 3


def test_a_savepoint_undoes_its_part_and_keeps_the_context(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="save"), transaction():
        db.session.add(Toy(name="before"))
        with pytest.raises(DBAPIError), db.session.begin_nested():  # noqa: PT012
            db.session.add(Toy(name="inside"))
            db.session.flush()
            db.session.execute(text("select 1 / 0"))
        db.session.add(Toy(name="after"))
    with tenant_scope(acme, reason="read"):
        assert list(db.session.scalars(NAMES)) == ["acme's", "after", "before"]


def test_a_released_savepoint_commits_with_its_transaction(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="save"), transaction(), db.session.begin_nested():
        db.session.add(Toy(name="inside"))
    with tenant_scope(acme, reason="read"):
        assert list(db.session.scalars(NAMES)) == ["acme's", "inside"]


def test_an_aborted_transaction_does_not_pass_for_a_commit(
    acme: TenantRoute, globex: TenantRoute, instance: Settings, superuser_url: str
) -> None:
    def ignore_an_error() -> None:
        with tenant_scope(acme, reason="abort"), transaction():
            db.session.add(Toy(name="lost"))
            db.session.flush()
            with suppress(DBAPIError):
                db.session.execute(text("select 1 / 0"))

    with pytest.raises(InternalError, match="nothing was written"):
        ignore_an_error()
    assert set(read_toys(instance, superuser_url)) == {"acme's", "globex's"}


def test_an_aborted_transaction_leaves_the_connection_usable(engine: Engine, acme: TenantRoute) -> None:
    before = pooled(engine)
    with pytest.raises(DBAPIError), tenant_scope(acme, reason="abort"):
        db.session.execute(text("select 1 / 0"))
    with tenant_scope(acme, reason="next"):
        assert list(db.session.scalars(NAMES)) == ["acme's"]
    assert pooled(engine) is before


@pytest.mark.parametrize("end", [db.session.commit, db.session.rollback])
def test_the_next_transaction_of_a_scope_shows_its_context_again(acme: TenantRoute, end: Callable[[], None]) -> None:
    with tenant_scope(acme, reason="twice"):
        assert list(db.session.scalars(NAMES)) == ["acme's"]
        end()
        assert list(db.session.scalars(NAMES)) == ["acme's"]


def test_a_connection_returned_inside_a_transaction_is_thrown_away(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The pool's own rollback is switched off: the guard is for the day on which something goes past it.
    monkeypatch.setattr(engine.pool, "_reset_on_return", ResetStyle.reset_none)
    fairy = engine.raw_connection()
    line = fairy.dbapi_connection
    line.execute("begin")
    with capture_logs() as logs:
        fairy.close()
    assert [entry["event"] for entry in logs] == ["connection_returned_in_transaction"]
    assert line.closed
    assert engine.pool.checkedout() == 0


def test_nothing_is_prepared_on_the_server(engine: Engine, acme: TenantRoute) -> None:
    for _ in range(10):
        with tenant_scope(acme, reason="read"):
            db.session.execute(NAMES)
            db.session.commit()  # On a rollback the driver forgets what it has prepared.
    assert count_prepared(engine) == 0


def count_prepared(engine: Engine) -> int:
    """Return how many statements the server keeps for the pooled connection."""
    return pooled(engine).execute("select count(*) from pg_prepared_statements").fetchone()[0]
