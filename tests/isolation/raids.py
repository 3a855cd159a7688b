"""The attacks of the battery carried out in every table of a ground; each returns what got through, named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from app.core.tenancy.scopes import Login, Tier
from tests.isolation.battery import ATTACKS, SWEEPS, Prey, ask, copy_in, copy_out, harvest, prey_at
from tests.isolation.grounds import Ground, Place, connect_to, context_of, home_of, tables_at

# Row-level security or a missing grant; a foreign key; a context of another database.
REFUSALS = {"", "42501", "23503", "TN002"}
SET = "select set_config('tenantry.context', %s, true)"


def visits(ground: Ground) -> Iterator[tuple[psycopg.Connection[Any], Place, dict[str, Prey]]]:
    """Yield a connection on which Acme has come to each place, with every table there."""
    for place in ground.places:
        with connect_to(ground.settings, Login.OWNER, place.address) as owner:
            found = {table: prey_at(ground, place, owner, table) for table in tables_at(owner, place.schema)}
        with ground.enter(place, ground.acme) as connection:
            yield connection, place, found


def preys(ground: Ground) -> Iterator[tuple[psycopg.Connection[Any], Prey]]:
    """Yield each table of each place, with the connection of the visit."""
    for connection, _place, found in visits(ground):
        yield from ((connection, prey) for prey in found.values())


def row_faults(ground: Ground, attack: str) -> Iterator[str]:
    """Name a row as another tenant's and as nobody's: the two answers must be one, and nothing be reached."""
    for connection, prey in preys(ground):
        for statement, foreign, missing in ATTACKS[attack](prey):
            answer = ask(connection, statement, foreign)
            if answer != ask(connection, statement, missing):
                yield f"{prey.table}: a foreign row is told from a missing one by {statement}: {answer}"
            if answer.rows or answer.state not in REFUSALS:
                yield f"{prey.table}: {statement} was answered with {answer}"


def sweep_faults(ground: Ground, sweep: str) -> Iterator[str]:
    """Name no row at all: only own rows may be reached."""
    for connection, prey in preys(ground):
        statement = SWEEPS[sweep].format(table=prey.table, tenant=prey.tenant)
        state, rows = harvest(connection, statement)
        if state not in {*REFUSALS, "23001"}:  # A foreign key of its own may hold an own row back.
            yield f"{prey.table}: {statement} was refused with {state}"
        if not {owner for (owner,) in rows} <= {ground.acme.tenant_id}:
            yield f"{prey.table}: {statement} reached foreign rows"


def copy_faults(ground: Ground) -> Iterator[str]:
    """Copy each table out and a foreign row in."""
    for connection, prey in preys(ground):
        for source in (prey.table, f"(select * from {prey.table})"):
            state, text = copy_out(connection, f"copy {source} to stdout")
            if state not in REFUSALS or str(ground.globex.tenant_id) in text:
                yield f"{prey.table}: a copy out holds foreign rows {state}"
        state = copy_in(connection, f"copy {prey.table} ({prey.tenant}) from stdin", prey.foreign[prey.tenant])
        if state not in {"0A000", "42501", "TN002"}:
            yield f"{prey.table}: a copy in was answered with {state or 'success'}"


def replay_faults(ground: Ground, grounds: dict[Tier, Ground]) -> Iterator[str]:
    """Show contexts of one database to another: there each is as good as forged."""
    home = home_of(ground.globex)
    elsewhere = {home_of(other.globex).address for other in grounds.values()} - {home.address}
    for address in elsewhere:
        for route in (ground.globex, ground.acme):
            with ground.enter(home, route) as connection:
                connection.execute(SET, (context_of(route, address),))
                state = ask(connection, f"select * from {home.schema}.members").state
                if state != "TN002":
                    yield f"a context of {address} is answered in {home.address} with {state or 'rows'}"
