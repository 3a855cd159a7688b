"""Where the attacks take place: bare connections of the real runtime logins, past all that the product puts around."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from app.core.context_token import CONTEXT_LIFETIME_SECONDS, sign_context
from app.core.database.server_urls import CONNECT_ARGUMENTS, ServerUrls
from app.core.database.session import registry
from app.core.runtime import current_settings
from app.core.tenancy.context import BEGIN_IN_TENANT
from app.core.tenancy.scopes import DatabaseAddress, Login
from app.isolation.canaries import Canary, Pair
from app.isolation.outcomes import Breach, NotTried

Query = str | sql.Composable
Connection = psycopg.Connection[Any]
NOT_ALLOWED = "42501"
NOT_SUPPORTED = "0A000"
# Every home table as the catalog lists it now, whoever added it; Alembic's own holds no row of anybody.
_TABLES = """
select c.relname from pg_class c where c.relnamespace = to_regnamespace(%s) and c.relkind in ('r', 'p')
    and c.relname <> 'alembic_version' order by 1
"""


@contextmanager
def connect(login: Login, address: DatabaseAddress) -> Iterator[Connection]:
    """Connect with a runtime login; what is left open is rolled back."""
    url = ServerUrls(current_settings()).get(login, address)
    with psycopg.connect(url, **CONNECT_ARGUMENTS) as connection:
        yield connection


@contextmanager
def enter(pair: Pair, canary: Canary) -> Iterator[Connection]:
    """Open a transaction of the tenant login under a canary's genuine context; it is rolled back."""
    with connect(Login.TENANT, pair.address) as connection, connection.transaction(force_rollback=True):
        show(connection, canary)
        yield connection


def show(connection: Connection, canary: Canary) -> None:
    """Show the database a canary's genuine context."""
    connection.execute(BEGIN_IN_TENANT, (sign(canary), str(canary.tenant_id)))


def sign(canary: Canary, *, epoch: int | None = None, age_seconds: int = 0, key: bytes | None = None) -> str:
    """Sign a context of a canary, as the application does or as one that has gone wrong."""
    place = canary.placement
    expires = int(time.time()) + CONTEXT_LIFETIME_SECONDS - 5 - age_seconds
    signing_key = registry().context_key(place.address) if key is None else key
    return sign_context(signing_key, canary.tenant_id, place.epoch if epoch is None else epoch, expires)


def list_home_tables(connection: Connection, schema: str) -> list[str]:
    """Return the tables of a home.

    Errors: NotTried when there is none.
    """
    found = [name for (name,) in connection.execute(_TABLES, (schema,))]
    if not found:
        raise NotTried(f"Schema {schema} has no tables.")
    return found


def expect_refusal(
    connection: Connection, statement: Query, states: Sequence[str], *, what: str, values: Sequence[Any] = ()
) -> None:
    """Run a statement that must be refused, and take it back.

    Errors: Breach when it is done, or gets past the wall and fails at something behind it; NotTried when the database
    does not answer.
    """
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(_query(statement), values)
    except psycopg.Error as error:
        if error.sqlstate in states:
            return
        _refuse_outage(error)
        raise Breach(f"{what}: the statement got past the wall ({error.sqlstate}).") from None
    raise Breach(f"{what}: the statement was not refused.")


def expect_nothing(connection: Connection, statement: Query, *, what: str, values: Sequence[Any] = ()) -> None:
    """Run a statement that may find or touch no row, and take it back; a refusal is as good.

    Shape: a SELECT answers with one number.
    Errors: Breach when it finds or touches one; NotTried when the database does not answer.
    """
    count = 0
    try:
        with connection.transaction(force_rollback=True):
            cursor = connection.execute(_query(statement), values)
            row = cursor.fetchone() if cursor.description else None
            count = int(row[0]) if row is not None else cursor.rowcount
    except psycopg.Error as error:
        if error.sqlstate == NOT_ALLOWED:
            return
        _refuse_outage(error)
        raise Breach(f"{what}: the statement got past the wall ({error.sqlstate}).") from None
    if count:
        raise Breach(f"{what}: {count} rows of the other canary.")


def count_of(connection: Connection, statement: Query, values: Sequence[Any] = ()) -> int:
    """Return the number that a statement answers with."""
    row = connection.execute(_query(statement), values).fetchone()
    return int(row[0]) if row is not None else 0


def _query(statement: Query) -> Any:
    return statement if isinstance(statement, sql.Composable) else statement.encode()


def _refuse_outage(error: psycopg.Error) -> None:
    # Connection failures, shutdowns, time-outs and full disks say nothing of a wall.
    if error.sqlstate is None or error.sqlstate[:2] in ("08", "53", "57", "55", "58"):
        raise NotTried(f"The database did not answer ({error.sqlstate or type(error).__name__}).") from error
