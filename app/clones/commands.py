"""The command that clones a tenant."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import click

from app.clones.services import DEFAULT_DAYS, CloneDraft, start_clone, today_in
from app.core.actors import Actor
from app.core.commands import as_json_option, one_sentence, print_result
from app.core.errors import InputError, StateError
from app.core.tenancy.scopes import Tier, platform_scope
from app.tenants.models import Tenant
from app.tenants.queries import find_placement, get_tenant, get_tenant_by_slug
from app.tenants.status import TenantStatus
from app.web.links import tenant_url

WAIT_SECONDS = 3600
POLL_SECONDS = 0.5
NEVER = "never"


@click.command("clone")
@click.argument("slug")
@click.argument("new_slug")
@click.option("--name", required=True, help="What the clone is called.")
@click.option("--owner", default=None, help="The owner's e-mail address; without it the source's owner.")
@click.option("--owner-name", default="", help="The owner's name; empty takes it from the address.")
@click.option("--tier", type=click.Choice([tier.value for tier in Tier]), default=None, help="Without it the source's.")
@click.option("--server", default=None, help="A registered server's name; without it the source's.")
@click.option("--expires-on", default=None, help=f"A day as YYYY-MM-DD, or {NEVER}; without it in {DEFAULT_DAYS} days.")
@click.option("--keep-names", is_flag=True, help="Leave members' names and e-mail addresses as they are.")
@click.option("--wait", is_flag=True, help="Return when the clone is active.")
@as_json_option
@one_sentence
def clone_tenant_command(
    slug: str, new_slug: str, *, expires_on: str | None, keep_names: bool, wait: bool, as_json: bool, **more: str | None
) -> None:
    """Make a new tenant from one moment's state of another, which works on; its members are masked."""
    with platform_scope("command tenant clone"):
        source = get_tenant_by_slug(slug)
        draft = _draft(source, new_slug, _read_day(expires_on, source), more)
        draft = replace(draft, keeps_names=keep_names)
        clone_id = start_clone(source.id, draft, actor=Actor.system("command tenant clone"))
    clone = _wait_until_settled(clone_id) if wait else _read(clone_id)
    facts = {"id": clone.id, "slug": new_slug, "state": clone.status, "link": tenant_url(new_slug)}
    facts["expires_on"] = clone.expires_on
    print_result(facts, as_json=as_json, text=f"{new_slug}, a clone of {slug}, is {clone.status}: {facts['link']}")


def _draft(source: Tenant, slug: str, day: date | None, asked: dict[str, str | None]) -> CloneDraft:
    owner, place = asked["owner"] or source.owner_email, find_placement(source.id)
    if place is None:
        raise StateError(f"{source.name} has no home to copy.")
    own_name = source.owner_name if owner == source.owner_email else owner.partition("@")[0]
    return CloneDraft(
        name=str(asked["name"]),
        slug=slug,
        owner_name=asked["owner_name"] or own_name,
        owner_email=owner,
        tier=Tier(asked["tier"] or place.tier),
        server=asked["server"] or place.server,
        expires_on=day,
    )


def _read_day(text: str | None, source: Tenant) -> date | None:
    if text is None:
        return today_in(source.time_zone) + timedelta(days=DEFAULT_DAYS)
    try:
        return None if text == NEVER else date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"Write the day as 2026-12-24, or {NEVER}.", "expires_on") from error


def _wait_until_settled(clone_id: UUID) -> Tenant:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        clone = _read(clone_id)
        if clone.status == TenantStatus.DELETED:
            raise StateError(f"The clone was given up, and nothing of it is left: {clone.status_reason}")
        if clone.status not in (TenantStatus.PROVISIONING, TenantStatus.FAILED):
            return clone
        time.sleep(POLL_SECONDS)
    raise StateError("The clone is still being made; its page tells how it goes on.")


def _read(clone_id: UUID) -> Tenant:
    with platform_scope("command tenant clone waits"):
        return get_tenant(clone_id)
