"""Making a server's canaries: rows of the registry, homes, and what is planted in them; run again, nothing changes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.core import clock
from app.core.actors import Actor
from app.core.config import root_secret
from app.core.database.session import db, registry
from app.core.database.transactions import transaction
from app.core.ids import new_id
from app.core.runtime import current_settings
from app.core.secrets import derive_key
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.homes import services as homes
from app.homes.building import place_home
from app.isolation.canaries import SIDES, Canary, Pair, canary_slug, plant
from app.members import queries as members
from app.members.models import Member, MemberState
from app.members.roles import RoleKey
from app.members.services import create_default_roles
from app.operations.kinds import StepInput
from app.settings import services as settings
from app.settings.models import Setting
from app.tenants import queries as tenants
from app.tenants import services as registration

ACTOR = Actor.system("isolation probe")


def find_pair(server: str) -> Pair | None:
    """Return a server's canaries; None while one of them lacks its home, or what is planted there."""
    canaries = [_find_canary(canary_slug(server, side)) for side in SIDES]
    if any(canary is None or not _is_planted(canary) for canary in canaries):
        return None
    a, b = (canary for canary in canaries if canary is not None)
    return Pair(server, a, b)


def prepare_pair(server: str) -> None:
    """Make whatever a server's canaries lack, as the owner where a home is built; no scope may be open."""
    for side in SIDES:
        with platform_scope("isolation canary"):
            tenant_id = registration.ensure_canary(canary_slug(server, side), server=server, place=place_home)
        homes.create_home(tenant_id)
        canary = _read_canary(tenant_id)
        with tenant_scope(canary.route, reason="isolation canary"):
            create_default_roles(actor=ACTOR)
            if not _has_member():
                settings.create_default_settings(actor=ACTOR)
                _plant(canary)


def forget_canaries_of(given: StepInput) -> None:
    """Forget the canaries of a server that is removed: a step of that operation."""
    registration.forget_canaries(given.payload["server"])


def _find_canary(slug: str) -> Canary | None:
    with platform_scope("isolation canary"):
        tenant_id = tenants.find_canary(slug)
    return None if tenant_id is None else _read_canary(tenant_id)


def _read_canary(tenant_id: UUID) -> Canary:
    return Canary(
        registry().get_route(tenant_id), plant(derive_key(root_secret(current_settings()), "canaries"), tenant_id)
    )


def _is_planted(canary: Canary) -> bool:
    if canary.route.placement is None or canary.route.home_state != "active":
        return False
    with tenant_scope(canary.route, reason="isolation canary"):
        return _has_member()


def _has_member() -> bool:
    return db.session.scalar(select(Member.id).limit(1)) is not None


def _plant(canary: Canary) -> None:
    with transaction():
        role = members.get_role(RoleKey.OWNER)
        member = Member(id=new_id(), email=canary.email, role_id=role.id, state=MemberState.ACTIVE)
        member.rename(f"Canary {canary.planted}")
        member.created_at = clock.now()
        db.session.add(member)
        for setting in db.session.scalars(select(Setting)):
            setting.value = canary.planted
