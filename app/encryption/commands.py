"""Commands about keys: how they stand, and giving one a new version."""

from __future__ import annotations

import time
from uuid import UUID

import click

from app.core.actors import Actor
from app.core.commands import as_json_option, one_sentence, print_result
from app.core.encryption.keys import KeyPurpose
from app.core.errors import StateError
from app.core.tenancy.scopes import platform_scope
from app.encryption import queries, services
from app.operations.models import OperationState
from app.operations.queries import get_operation
from app.tenants.queries import get_tenant_by_slug

ACTOR = Actor.system("command keys rotate")
WAIT_SECONDS = 86_400
POLL_SECONDS = 0.3


@click.group("keys")
def keys_group() -> None:
    """See keys, and rotate them."""


@keys_group.command("list")
@click.argument("slug", required=False)
@as_json_option
@one_sentence
def list_keys_command(slug: str | None, *, as_json: bool) -> None:
    """Print how a tenant's keys stand; without a tenant the platform's."""
    with platform_scope("command keys list"):
        keys = queries.list_data_keys(_owner(slug))
    facts = [
        {"purpose": key.purpose, "version": key.version, "state": key.state, "since": key.state_changed_at}
        for key in keys
    ]
    lines = [f"{key.purpose:<12} {key.version:>3}  {key.state}" for key in keys]
    print_result(facts, as_json=as_json, text="\n".join(lines) or "No key yet.")


@keys_group.command("rotate")
@click.argument("purpose", type=click.Choice([purpose.value for purpose in KeyPurpose]))
@click.argument("slug", required=False)
@click.option("--wait", is_flag=True, help="Return when the older version is retired.")
@as_json_option
@one_sentence
def rotate_key_command(purpose: str, slug: str | None, *, wait: bool, as_json: bool) -> None:
    """Give a tenant's key a new version, without a tenant the platform's; values are sealed anew by the workers."""
    with platform_scope("command keys rotate"):
        operation_id = services.start_rotation(_owner(slug), KeyPurpose(purpose), actor=ACTOR)
    state = _wait_for(operation_id) if wait else OperationState.PENDING
    facts = {"id": operation_id, "owner": slug or "platform", "purpose": purpose, "state": state}
    print_result(facts, as_json=as_json, text=f"The key for {purpose} of {slug or 'the platform'} rotates: {state}.")


def _owner(slug: str | None) -> UUID | None:
    return get_tenant_by_slug(slug).id if slug else None


def _wait_for(operation_id: UUID) -> str:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with platform_scope("command keys rotate waits"):
            operation = get_operation(operation_id)
        if operation.state == OperationState.FAILED:
            raise StateError(f"The rotation failed, and nothing was lost: {operation.error}")
        if operation.is_final:
            return operation.state
        time.sleep(POLL_SECONDS)
    raise StateError("The rotation still runs; its page tells how it goes on.")
