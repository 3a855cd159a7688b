"""The commands: this room only collects those of core and of the features."""

from __future__ import annotations

import click
from flask import Flask

from app.core.commands import one_sentence
from app.core.database.migrate import migrate
from app.core.runtime import current_settings
from app.core.tenancy.scopes import platform_scope
from app.plans.services import seed_catalogue


def init_cli(app: Flask) -> None:
    """Add every command to `flask --app wsgi`."""
    app.cli.add_command(migrate_command)


@click.command("migrate")
@one_sentence
def migrate_command() -> None:
    """Bring the database to the newest schema, as the owner login, and its catalogue of plans to this release."""
    migrate(current_settings())
    with platform_scope("command migrate"):
        seed_catalogue()
    click.echo("The database is at the newest schema.")
