"""The command that moves a tenant's home."""

from __future__ import annotations

import time
from uuid import UUID

import click

from app.core.actors import Actor
from app.core.commands import as_json_option, one_sentence, print_result
from app.core.errors import StateError
from app.core.tenancy.scopes import MAIN_SERVER, Tier, platform_scope
from app.moves import queries, services
from app.moves.models import Move, MoveState
from app.tenants.queries import get_tenant_by_slug

WAIT_SECONDS = 3600
POLL_SECONDS = 0.5


@click.command("move")
@click.argument("slug")
@click.option(
    "--tier", type=click.Choice([tier.value for tier in Tier]), required=True, help="How far it is set apart."
)
@click.option("--server", default=MAIN_SERVER, show_default=True, help="A registered server's name.")
@click.option("--wait", is_flag=True, help="Return when the tenant works at its new place.")
@as_json_option
@one_sentence
def move_tenant_command(slug: str, *, tier: str, server: str, wait: bool, as_json: bool) -> None:
    """Move a tenant's home to another tier or server, while it works on; the old home is kept for a day."""
    with platform_scope("command tenant move"):
        tenant_id = get_tenant_by_slug(slug).id
        actor = Actor.system("command tenant move")
        move_id = services.start_move(tenant_id, tier=Tier(tier), server=server, actor=actor)
    move = _wait_until_settled(move_id) if wait else _read(move_id)
    facts = {"id": move.id, "slug": slug, "state": move.state, "pause_milliseconds": move.pause_milliseconds}
    print_result(facts, as_json=as_json, text=f"{slug} goes from {move.from_place} to {move.to_place}: {move.state}.")


def _wait_until_settled(move_id: UUID) -> Move:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        move = _read(move_id)
        if move.state == MoveState.FAILED:
            raise StateError(f"The move was given up and the tenant has not left: {move.error}")
        if move.state != MoveState.RUNNING:
            return move
        time.sleep(POLL_SECONDS)
    raise StateError("The move still runs; its page tells how it goes on.")


def _read(move_id: UUID) -> Move:
    with platform_scope("command tenant move waits"):
        return queries.get_move(move_id)
