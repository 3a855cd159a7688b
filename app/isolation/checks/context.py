"""Wall 4: what the database says to no context, and to contexts that are forged, expired, stale or injected."""

from __future__ import annotations

import os

from psycopg import sql

from app.core.database.session import registry
from app.core.tenancy.scopes import MAIN_DATABASE, Login
from app.isolation.canaries import Pair
from app.isolation.grounds import Connection, connect, enter, expect_refusal, list_home_tables, sign
from app.isolation.outcomes import Check

WALL = "4 signed context"
NONE, FORGED, EXPIRED, STALE = "TN001", "TN002", "TN003", "TN004"
_SET = "select pg_catalog.set_config('tenantry.context', %s, true)"


def show_nothing(pair: Pair) -> str:
    """Ask for rows without a context."""
    with connect(Login.TENANT, pair.address) as connection:
        expect_refusal(connection, _read(connection, pair), (NONE,), what="Without a context")
    return "Without a context the database refuses."


def show_forged(pair: Pair) -> str:
    """Show contexts that were signed with another key, with A's signature under B's name, or with nothing."""
    own = sign(pair.a)
    forged = {
        "signed with another key": sign(pair.b, key=os.urandom(32)),
        "B’s name over A’s signature": own.replace(str(pair.a.tenant_id), str(pair.b.tenant_id)),
        "without a signature": sign(pair.b).rpartition(".")[0],
        "a name alone": str(pair.b.tenant_id),
    }
    # B's, for another database than its home's: each has a key of its own.
    others = [address for address in (MAIN_DATABASE, *registry().list_databases()) if address != pair.address]
    if others:
        forged["of another database"] = sign(pair.b, key=registry().context_key(others[0]))
    for what, text in forged.items():
        _expect(pair, text, FORGED, what)
    return f"{len(forged)} forged contexts were refused."


def show_expired(pair: Pair) -> str:
    """Show a context that was good ten minutes ago, as somebody who has found one does."""
    _expect(pair, sign(pair.b, age_seconds=600), EXPIRED, "an expired context")
    return "A context that was good ten minutes ago was refused."


def show_stale(pair: Pair) -> str:
    """Show a context of an epoch before the home's present one, as a writer with an old route does."""
    _expect(pair, sign(pair.b, epoch=pair.b.placement.epoch - 1), STALE, "a context of an earlier epoch")
    return "A context of an earlier epoch was refused."


def inject(pair: Pair) -> str:
    """Take B's name inside a genuine transaction of A, as an injected statement would."""
    texts = (sign(pair.a).replace(str(pair.a.tenant_id), str(pair.b.tenant_id)), sign(pair.b, key=os.urandom(32)))
    with enter(pair, pair.a) as connection:
        statement = _read(connection, pair)
        for text in texts:
            with connection.transaction(force_rollback=True):
                connection.execute(_SET, (text,))
                expect_refusal(connection, statement, (FORGED,), what="set_config inside A’s transaction")
    return f"{len(texts)} injected contexts were refused inside a genuine transaction."


CHECKS = (
    Check("context.missing", WALL, "Without a context there are no rows", show_nothing),
    Check("context.forged", WALL, "Forged contexts are refused", show_forged),
    Check("context.expired", WALL, "Expired contexts are refused", show_expired),
    Check("context.stale", WALL, "Contexts of an earlier epoch are refused", show_stale),
    Check("context.injected", WALL, "An injected set_config gains nothing", inject),
)


def _expect(pair: Pair, context: str, state: str, what: str) -> None:
    with connect(Login.TENANT, pair.address) as connection, connection.transaction(force_rollback=True):
        connection.execute(_SET, (context,))
        expect_refusal(connection, _read(connection, pair), (state,), what=what)


def _read(connection: Connection, pair: Pair) -> sql.Composed:
    table = list_home_tables(connection, pair.schema)[0]
    return sql.SQL("select count(*) from {}").format(sql.Identifier(pair.schema, table))
