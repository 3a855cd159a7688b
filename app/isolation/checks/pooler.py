"""Connections: two tenants in turn on one of them, and nothing that stays behind a transaction."""

from __future__ import annotations

from psycopg import sql

from app.core.errors import ConfigError
from app.core.tenancy.boot_check import refuse_unsafe_path
from app.core.tenancy.scopes import Login
from app.isolation.canaries import Canary, Pair
from app.isolation.grounds import Connection, connect, list_home_tables, show
from app.isolation.outcomes import Breach, Check

WALL = "4 signed context"
TURNS = 4
_BACKEND = "select pg_catalog.pg_backend_pid()"
_LEFT = "select coalesce(pg_catalog.current_setting('tenantry.context', true), '')"
_MARK = "set local application_name = 'isolation probe'"
_MARKED = "select pg_catalog.current_setting('application_name') = 'isolation probe'"


def take_turns(pair: Pair) -> str:
    """Let both canaries work in turn on one connection, and look whom each sees."""
    backends = set()
    with connect(Login.TENANT, pair.address) as connection:
        for turn in range(TURNS):
            backends.add(_see(connection, pair, (pair.a, pair.b)[turn % 2]))
    return f"{TURNS} transactions of both canaries in turn saw own rows only, on {len(backends)} server processes."


def check_path(pair: Pair) -> str:
    """Look whether the way to the database keeps a transaction together, as each process does when it starts."""
    for login in (Login.TENANT, Login.PLATFORM):
        with connect(login, pair.address) as connection:
            try:
                refuse_unsafe_path(connection)
            except ConfigError as error:
                raise Breach(f"The {login} login: {error}") from None
    return "A transaction stays on one server connection, and no context is set outside of one."


def look_behind(pair: Pair) -> str:
    """Look what a transaction leaves on its connection: no context, no setting."""
    with connect(Login.TENANT, pair.address) as connection:
        for is_committed in (True, False):
            with connection.transaction(force_rollback=not is_committed):
                show(connection, pair.b)
                connection.execute(_MARK)
            if connection.execute(_LEFT).fetchone() != ("",):
                raise Breach("A context stays on the connection when its transaction has ended.")
            if connection.execute(_MARKED).fetchone() != (False,):
                raise Breach("A setting stays on the connection when its transaction has ended.")
    return "Neither context nor setting stays when a transaction has ended."


CHECKS = (
    Check("pooler.turns", WALL, "Tenants in turn on one connection see their own rows", take_turns),
    Check("pooler.path", WALL, "A pooler, if there is one, keeps transactions together", check_path),
    Check("pooler.leftovers", WALL, "A transaction leaves nothing on its connection", look_behind),
)


def _see(connection: Connection, pair: Pair, canary: Canary) -> int:
    with connection.transaction(force_rollback=True):
        show(connection, canary)
        first = connection.execute(_BACKEND).fetchone()
        for table in list_home_tables(connection, pair.schema):
            name = sql.Identifier(pair.schema, table)
            seen = connection.execute(sql.SQL("select distinct tenant_id from {}").format(name)).fetchall()
            if set(seen) - {(canary.tenant_id,)}:
                raise Breach(f"{table}: a canary saw rows of another tenant.")
        if first is None or connection.execute(_BACKEND).fetchone() != first:
            raise Breach("One transaction was spread over several server connections.")
        return int(first[0])
