"""The part of a server's preparation that is about homes: the database from which those of single homes are copied."""

from __future__ import annotations

from psycopg import sql

from app.core.database.owner import owner_connection
from app.core.tenancy.scopes import DatabaseAddress
from app.homes.template_databases import ensure_template_database, template_name
from app.operations.kinds import Step, StepInput, StepScope
from app.servers.preparing import add_preparation_step


def declare_template_step() -> None:
    """Add the step."""
    add_preparation_step(Step("template", "Make the template of homes", StepScope.SERVER, make_template, drop_template))


def make_template(given: StepInput) -> None:
    """Make the server's template of the newest version."""
    ensure_template_database(given.payload["server"])


def drop_template(given: StepInput) -> None:
    """Take the server's template away."""
    with owner_connection(DatabaseAddress(given.payload["server"])) as connection:
        name = template_name(given.payload["server"])
        if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None:
            connection.execute(sql.SQL("alter database {} is_template false").format(sql.Identifier(name)))
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
