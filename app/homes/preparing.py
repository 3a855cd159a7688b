"""What homes add to the preparation and the removal of a server: what they are copied from, and those kept ready."""

from __future__ import annotations

import structlog
from psycopg import sql

from app.core.database.dropping import drop_database
from app.core.database.owner import owner_connection
from app.core.errors import ConfigError, UnavailableError
from app.core.tenancy.scopes import DatabaseAddress
from app.homes import ready_homes
from app.homes.template_databases import ensure_template_database, template_name
from app.operations.kinds import Step, StepInput, StepScope
from app.servers.preparing import add_preparation_step
from app.servers.removal import add_removal_step

log = structlog.get_logger()


def declare_server_steps() -> None:
    """Add the steps."""
    add_preparation_step(Step("template", "Make the template of homes", StepScope.SERVER, make_template, drop_template))
    add_removal_step(Step("homes", "Drop the homes that nobody uses", StepScope.SERVER, clear_server))


def make_template(given: StepInput) -> None:
    """Make the server's template of the newest version."""
    ensure_template_database(given.payload["server"])


def drop_template(given: StepInput) -> None:
    """Take the server's template away."""
    with owner_connection(DatabaseAddress(given.payload["server"])) as connection:
        name = template_name(given.payload["server"])
        if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None:
            connection.execute(sql.SQL("alter database {} is_template false").format(sql.Identifier(name)))
            drop_database(connection, name)


def clear_server(given: StepInput) -> None:
    """Drop ready homes and take the server's pool out of the fleet; a server that is away keeps what lies there."""
    server = given.payload["server"]
    try:
        ready_homes.drop_all(server)
    except (UnavailableError, ConfigError):
        log.warning("ready_homes_left_behind", server=server)
    with owner_connection() as control:
        control.execute("delete from control.ready_homes where server = %s", (server,))
        control.execute("delete from control.home_versions where server = %s", (server,))
