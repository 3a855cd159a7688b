"""The commands: this room only collects those of core and of the features."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from flask import Flask

from app.core.config import load_settings
from app.core.database.migrate import migrate
from app.core.errors import TenantryError


def init_cli(app: Flask) -> None:
    """Add every command to `flask --app wsgi`."""
    app.cli.add_command(migrate_command)


def one_sentence(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the product's errors into one sentence on standard error and exit code 1."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except TenantryError as error:
            click.echo(str(error), err=True)
            sys.exit(1)

    return run


@click.command("migrate")
@one_sentence
def migrate_command() -> None:
    """Bring the database to the newest schema, as the owner login."""
    migrate(load_settings())
    click.echo("The database is at the newest schema.")
