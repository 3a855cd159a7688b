"""The commands about staff users."""

from __future__ import annotations

from typing import Any

import click

from app.core.actors import Actor
from app.core.commands import as_json_option, one_sentence, print_result
from app.core.tenancy.scopes import platform_scope
from app.staff import queries, services
from app.staff.links import sign_in_url
from app.staff.models import StaffUser

_FIRST_ADMIN_EMAIL = "admin@example.com"
_FIRST_ADMIN_NAME = "Platform admin"


@click.group("staff")
def staff_commands() -> None:
    """The people who run the platform."""


@staff_commands.command("create")
@click.argument("email")
@click.option("--role", required=True, help="admin or support")
@click.option("--name", default=None, help="What people read; the address's first part if not given.")
@as_json_option
@one_sentence
def create(email: str, role: str, name: str | None, as_json: bool) -> None:
    """Write a staff user and print the one-time link by which they get in."""
    with platform_scope("command staff create"):
        words = name if name is not None else email.partition("@")[0]
        user_id = services.create_staff_user(email=email, name=words, role=role, actor=_actor("create"))
        _print_link(queries.get_staff_user(user_id), as_json)


@staff_commands.command("sign-in-link")
@click.argument("email")
@as_json_option
@one_sentence
def create_sign_in_link(email: str, as_json: bool) -> None:
    """Print a new one-time link; every older one is void."""
    with platform_scope("command staff sign-in-link"):
        user_id = services.create_sign_in_link(email=email, actor=_actor("sign-in-link"))
        _print_link(queries.get_staff_user(user_id), as_json)


@staff_commands.command("ensure-first-admin")
@click.option("--email", default=_FIRST_ADMIN_EMAIL, show_default=True)
@click.option("--name", default=_FIRST_ADMIN_NAME, show_default=True)
@one_sentence
def ensure_first_admin(email: str, name: str) -> None:
    """Print a one-time link for the first admin, as long as no admin has signed in."""
    with platform_scope("command staff ensure-first-admin"):
        user_id = services.ensure_first_admin(email=email, name=name, actor=_actor("ensure-first-admin"))
        if user_id is not None:
            click.echo(sign_in_url(queries.get_staff_user(user_id)))


@staff_commands.command("list")
@as_json_option
@one_sentence
def list_staff(as_json: bool) -> None:
    """Print every staff user."""
    with platform_scope("command staff list"):
        users = queries.list_staff_users()
        text = "\n".join(f"{user.email}  {user.role}  {user.state}  {user.name}" for user in users)
        print_result([_facts(user) for user in users], as_json=as_json, text=text or "There is no staff user yet.")


def _actor(command: str) -> Actor:
    return Actor.system(f"command staff {command}")


def _print_link(user: StaffUser, as_json: bool) -> None:
    link = sign_in_url(user)
    print_result({**_facts(user), "link": link}, as_json=as_json, text=link)


def _facts(user: StaffUser) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "state": user.state,
        "created_at": user.created_at.isoformat(),
        "last_signed_in_at": user.last_signed_in_at.isoformat() if user.last_signed_in_at else None,
    }
