"""Commands about servers, for operators who script."""

from __future__ import annotations

import time
from uuid import UUID

import click

from app.core.actors import Actor
from app.core.commands import as_json_option, one_sentence, print_result
from app.core.errors import StateError
from app.core.tenancy.scopes import platform_scope
from app.servers import queries, services
from app.servers.models import MIB, Server, ServerState
from app.servers.services import ServerTerms
from app.web.choices import REGIONS

ACTOR = Actor.system("command server register")
WAIT_SECONDS = 120
POLL_SECONDS = 0.2


@click.group("server")
def server_group() -> None:
    """List and register database servers."""


@server_group.command("list")
@as_json_option
@one_sentence
def list_servers_command(as_json: bool) -> None:
    """List the servers, the main one first."""
    with platform_scope("command server list"):
        homes = queries.count_homes()
        rows = [(server, homes[server.name].total if server.name in homes else 0) for server in queries.list_servers()]
    facts = [_facts(server, count) for server, count in rows]
    text = "\n".join(f"{server.name:16} {server.state:10} {count:6} of {server.capacity}" for server, count in rows)
    print_result(facts, as_json=as_json, text=text)


@server_group.command("register")
@click.argument("name")
@click.option("--region", type=click.Choice([key for key, _label in REGIONS]), required=True)
@click.option("--capacity", type=click.IntRange(min=1), default=1_000, show_default=True, help="How many homes.")
@click.option("--storage-mib", type=click.IntRange(min=1), help="How much its databases may hold; else unchecked.")
@click.option("--closed", is_flag=True, help="Take no new homes for now.")
@click.option("--wait", is_flag=True, help="Return when the server is ready.")
@as_json_option
@one_sentence
def register_server_command(
    name: str, *, region: str, capacity: int, storage_mib: int | None, closed: bool, wait: bool, as_json: bool
) -> None:
    """Register a server; its owner's URL is read from standard input, never from the command line."""
    url = click.prompt("Owner's URL", hide_input=True, err=True).strip()
    with platform_scope("command server register"):
        storage_bytes = None if storage_mib is None else storage_mib * MIB
        terms = ServerTerms(region, capacity, not closed, storage_bytes=storage_bytes)
        server_id = services.register_server(name, terms, url=url, actor=ACTOR)
    state = _wait_until_settled(server_id) if wait else ServerState.PREPARING
    print_result({"id": server_id, "name": name, "state": state}, as_json=as_json, text=f"{name} is {state}.")


def _wait_until_settled(server_id: UUID) -> str:
    """Return the state once the preparation has ended.

    Errors: StateError when it failed, or takes longer than two minutes.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with platform_scope("command server register waits"):
            server = queries.get_server(server_id)
        if server.state == ServerState.FAILED:
            raise StateError(f"The preparation failed: {server.error}")
        if server.state == ServerState.READY:
            return server.state
        time.sleep(POLL_SECONDS)
    raise StateError("The preparation still runs; are the workers up?")


def _facts(server: Server, home_count: int) -> dict[str, object]:
    return {
        "name": server.name, "region": server.region, "state": server.state, "reachable": server.is_reachable,
        "homes": home_count, "capacity": server.capacity, "storage_bytes": server.storage_bytes,
        "size_bytes": server.size_bytes, "accepts_homes": server.accepts_homes,
        "version": server.version, "measured_at": server.measured_at and server.measured_at.isoformat(),
    }  # fmt: skip
