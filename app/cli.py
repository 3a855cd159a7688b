"""The commands: this room only collects those of core and of the features."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask

from app.core.config_docs import render_configuration

DOCS = Path(__file__).parents[1] / "docs"


def init_cli(app: Flask) -> None:
    """Add every command to `flask --app wsgi`."""
    app.cli.add_command(docs_group)


@click.group("docs")
def docs_group() -> None:
    """Render the pages that are made from the code."""


@docs_group.command("configuration")
@click.option("--to", type=click.Path(path_type=Path), default=DOCS / "configuration.md", help="The file to write.")
def write_configuration_command(to: Path) -> None:
    """Write docs/configuration.md from the settings' fields."""
    to.write_text(render_configuration())
    click.echo(f"{to} is written.")
