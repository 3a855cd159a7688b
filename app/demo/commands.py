"""The command that seeds the demo."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.core.commands import one_sentence
from app.demo.annex import ensure_annex
from app.demo.passwords import demo_password
from app.demo.seeding import seed_demo

demo_group = AppGroup("demo", help="A month of demo data, for development.")


@demo_group.command("server")
@one_sentence
def server_command() -> None:
    """Register the demo's second database server, or follow it to another port."""
    click.echo(ensure_annex())


@demo_group.command("seed")
@one_sentence
def seed_command() -> None:
    """Make the demo's tenants; what exists already stays as it is."""
    seed_demo()
    click.echo(f"sign in there as bob@acme.example or carol@globex.example, password {demo_password()}")
