"""Commands that onboard a tenant and hand out its owner's link."""

from __future__ import annotations

import time
from uuid import UUID

import click

from app.core.actors import Actor
from app.core.commands import as_json_option, one_sentence, print_result
from app.core.errors import StateError
from app.core.tenancy.scopes import Tier, platform_scope
from app.onboarding.owner_links import create_owner_link
from app.onboarding.services import onboard_tenant
from app.tenants.queries import get_tenant
from app.tenants.services import TenantDraft
from app.tenants.status import TenantStatus
from app.web.links import tenant_url

WAIT_SECONDS = 60
POLL_SECONDS = 0.2
TIERS = [tier.value for tier in Tier]


@click.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="The workspace's name.")
@click.option("--owner", required=True, help="The owner's e-mail address.")
@click.option("--owner-name", default="", help="The owner's name; empty takes it from the address.")
@click.option("--plan", default="starter", show_default=True, help="A plan's key.")
@click.option("--tier", type=click.Choice(TIERS), default=None, help="How far its home is set apart.")
@click.option("--server", default=None, help="The database server for its home; without it one with room.")
@click.option("--wait", is_flag=True, help="Return when the tenant is active.")
@as_json_option
@one_sentence
def create_tenant_command(
    slug: str,
    *,
    name: str,
    owner: str,
    owner_name: str,
    plan: str,
    tier: str | None,
    server: str | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Onboard a tenant; region, time zone and currency are the plan's, its tier too unless it is named."""
    draft = TenantDraft(
        name=name,
        slug=slug,
        owner_name=owner_name or owner.partition("@")[0],
        owner_email=owner,
        plan=plan,
        tier=Tier(tier) if tier else None,
        server=server,
    )
    with platform_scope("command tenant create"):
        tenant_id = onboard_tenant(draft, actor=Actor.system("command tenant create"))
    status = _wait_until_settled(tenant_id) if wait else TenantStatus.PROVISIONING
    facts = {"id": tenant_id, "slug": slug, "state": status, "link": tenant_url(slug)}
    print_result(facts, as_json=as_json, text=f"{slug} is {status}: {tenant_url(slug)}")


@click.command("owner-link")
@click.argument("slug")
@as_json_option
@one_sentence
def show_owner_link_command(slug: str, as_json: bool) -> None:
    """Print a fresh link by which the owner sets up sign-in; earlier links stop working."""
    link = create_owner_link(slug, actor=Actor.system("command tenant owner-link"))
    print_result({"slug": slug, "link": link}, as_json=as_json, text=link)


def _wait_until_settled(tenant_id: UUID) -> str:
    """Return the status once provisioning has ended.

    Errors: StateError when it failed, or takes longer than a minute.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with platform_scope("command tenant create waits"):
            tenant = get_tenant(tenant_id)
        if tenant.status == TenantStatus.FAILED:
            raise StateError(f"Provisioning failed: {tenant.status_reason}")
        if tenant.status != TenantStatus.PROVISIONING:
            return tenant.status
        time.sleep(POLL_SECONDS)
    raise StateError("Provisioning still runs; are the workers up? `tenant show` tells how it goes on.")
