"""Commands about tenants, for operators who script; onboarding adds its own to the group."""

from __future__ import annotations

from typing import Any

import click

from app.core.actors import Actor
from app.core.commands import as_json_option, one_sentence, print_result
from app.core.errors import InputError
from app.core.tenancy.scopes import Tier, platform_scope
from app.plans.queries import get_plan
from app.servers.queries import get_server_by_name
from app.tenants import queries, services
from app.tenants.models import Tenant
from app.tenants.queries.listing import TenantLine
from app.tenants.status import TenantStatus
from app.web.tables import TableState


@click.group("tenant")
def tenant_group() -> None:
    """List, show and steer tenants."""


@tenant_group.command("list")
@click.option("--status", default="", help="Only tenants of this status.")
@click.option("--plan", default="", help="Only tenants on the plan of this key.")
@click.option("--tier", default=None, type=click.Choice([tier.value for tier in Tier]), help="Only homes of this tier.")
@click.option("--server", default=None, help="Only homes on the server of this name.")
@click.option("--search", default="", help="The beginning of a name or slug, or an owner's whole e-mail address.")
@as_json_option
@one_sentence
def list_tenants_command(search: str, as_json: bool, **filters: str | None) -> None:
    """List tenants by slug."""
    with platform_scope("command tenant list"):
        lines = list(queries.iterate_tenants(_state(search, filters)))
    facts = [_facts_of_line(line) for line in lines]
    print_result(facts, as_json=as_json, text="\n".join(map(_text_of_line, lines)) or "No tenant matches.")


@tenant_group.command("show")
@click.argument("slug")
@as_json_option
@one_sentence
def show_tenant_command(slug: str, as_json: bool) -> None:
    """Show one tenant."""
    with platform_scope("command tenant show"):
        facts = _facts(queries.get_tenant_by_slug(slug))
    text = "\n".join(f"{name.replace('_', ' '):14}{'–' if value is None else value}" for name, value in facts.items())
    print_result(facts, as_json=as_json, text=text)


@tenant_group.command("suspend")
@click.argument("slug")
@click.option("--reason", required=True, help="Shown to the tenant's members when they sign in.")
@as_json_option
@one_sentence
def suspend_tenant_command(slug: str, reason: str, as_json: bool) -> None:
    """Stop a tenant's sign-ins and jobs; its data stays."""
    with platform_scope("command tenant suspend"):
        tenant_id = queries.get_tenant_by_slug(slug).id
        services.suspend_tenant(tenant_id, reason=reason, actor=Actor.system("command tenant suspend"))
        _print_status(queries.get_tenant(tenant_id), as_json=as_json)


@tenant_group.command("reactivate")
@click.argument("slug")
@click.option("--reason", default=None, help="Kept in the tenant's history.")
@as_json_option
@one_sentence
def reactivate_tenant_command(slug: str, reason: str | None, as_json: bool) -> None:
    """Let a suspended tenant work again."""
    with platform_scope("command tenant reactivate"):
        tenant_id = queries.get_tenant_by_slug(slug).id
        services.reactivate_tenant(tenant_id, reason=reason, actor=Actor.system("command tenant reactivate"))
        _print_status(queries.get_tenant(tenant_id), as_json=as_json)


@tenant_group.command("unarchive")
@click.argument("slug")
@click.option("--reason", default=None, help="Kept in the tenant's history.")
@click.option("--keep-suspended", is_flag=True, help="Leave it suspended if it was when it was archived.")
@as_json_option
@one_sentence
def unarchive_tenant_command(slug: str, reason: str | None, *, keep_suspended: bool, as_json: bool) -> None:
    """Open an archived tenant again."""
    with platform_scope("command tenant unarchive"):
        tenant_id, actor = queries.get_tenant_by_slug(slug).id, Actor.system("command tenant unarchive")
        services.unarchive_tenant(tenant_id, reason=reason, keep_suspended=keep_suspended, actor=actor)
        _print_status(queries.get_tenant(tenant_id), as_json=as_json)


def _state(search: str, given: dict[str, str | None]) -> TableState:
    filters = {name: value for name, value in given.items() if value}
    if "status" in filters and filters["status"] not in list(TenantStatus):
        raise InputError(f"There is no status “{filters['status']}”; choose one of {', '.join(TenantStatus)}.")
    if "plan" in filters:
        get_plan(filters["plan"])
    if "server" in filters:
        get_server_by_name(filters["server"])
    return TableState(search=search.strip(), filters=filters, sort="slug")


def _facts_of_line(line: TenantLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "slug": line.slug,
        "name": line.name,
        "status": line.status,
        "plan": line.plan_key,
        "region": line.region,
        "tier": line.tier,
        "server": line.server,
        "owner_email": line.owner_email,
        "tags": line.tags,
        "created_at": line.created_at.isoformat(),
    }


def _text_of_line(line: TenantLine) -> str:
    return f"{line.slug:30} {line.status:12} {line.plan_key:12} {line.region:12} {line.name}"


def _facts(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "slug": tenant.slug,
        "name": tenant.name,
        "status": tenant.status,
        "status_reason": tenant.status_reason,
        "plan": tenant.plan.key,
        "region": tenant.region,
        "owner_name": tenant.owner_name,
        "owner_email": tenant.owner_email,
        "created_at": tenant.created_at.isoformat(),
    }


def _print_status(tenant: Tenant, *, as_json: bool) -> None:
    facts = {"id": tenant.id, "slug": tenant.slug, "status": tenant.status}
    print_result(facts, as_json=as_json, text=f"{tenant.slug} is {tenant.status}.")
