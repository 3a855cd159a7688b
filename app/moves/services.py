"""Starting a move, going back, and giving up the old home; the work itself is an operation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.audit.services import record_event, unaudited
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db, registry
from app.core.database.transactions import transaction
from app.core.errors import InputError, StateError
from app.core.tenancy.scopes import Placement, Tier
from app.homes.building import place_home
from app.moves import queries
from app.moves.kinds import MOVE, PURGE, RETURN
from app.moves.models import Move, MoveState, write_placement
from app.operations.services import start_operation
from app.servers.services import reserve_place
from app.tenants import queries as tenants
from app.tenants.models import Tenant
from app.tenants.status import TenantActivity, TenantStatus

KEPT = timedelta(hours=24)
MOVABLE = frozenset({TenantStatus.ACTIVE, TenantStatus.PAST_DUE, TenantStatus.SUSPENDED, TenantStatus.ARCHIVED})


def start_move(tenant_id: UUID, *, tier: Tier, server: str, actor: Actor) -> UUID:
    """Start moving a tenant's home; return the move.

    Errors: InputError for the place where it lies already, or a server that takes no home; StateError for a tenant
    that cannot be moved now, or whose last move has not come to its end; ConflictError while another operation of the
    tenant is open.
    """
    with transaction():
        tenant = tenants.get_tenant(tenant_id, lock=True)
        source = _get_movable(tenant)
        target = place_home(tenant_id, tier, server, source.epoch + 1)
        if (source.tier, source.server) == (tier, server):
            raise InputError(f"The home of {tenant.name} lies there already.", "tier")
        reserve_place(server)
        move = Move(
            tenant_id=tenant_id,
            source=write_placement(source),
            target=write_placement(target),
            actor_label=actor.label,
        )
        db.session.add(move)
        db.session.flush()
        tenant.activity = TenantActivity.MOVING
        changes = {"home": (move.from_place, move.to_place)}
        record_event(AuditAction.MOVE_STARTED, target=tenant.target, actor=actor, tenant_id=tenant_id, changes=changes)
        start_operation(MOVE, tenant_id=tenant_id, payload={"move_id": str(move.id)}, actor=actor)
    return move.id


def start_return(move_id: UUID, *, actor: Actor) -> None:
    """Start taking a home back to where it came from, with what was written since.

    Errors: NotFoundError; StateError unless the old home is kept; ConflictError while another operation is open.
    """
    _start(move_id, MoveState.RETURNING, RETURN, AuditAction.MOVE_RETURN_REQUESTED, actor)


def start_purge(move_id: UUID, *, actor: Actor) -> None:
    """Start dropping the old home; the way back ends with it.

    Errors: NotFoundError; StateError unless the old home is kept; ConflictError while another operation is open.
    """
    _start(move_id, MoveState.FINISHING, PURGE, AuditAction.MOVE_PURGE_REQUESTED, actor)


@unaudited("each move's own start is an event")
def finish_overdue_moves() -> None:
    """Start dropping every old home that has been kept long enough."""
    for move in queries.list_overdue_moves(clock.now()):
        start_purge(move.id, actor=Actor.system("moves"))


@unaudited("a part of the move, whose switch and end are events")
def note_findings(move_id: UUID, *, findings: str) -> None:
    """Keep what was found before anything was written."""
    with transaction():
        queries.get_move(move_id, lock=True).findings = findings


@unaudited("a part of the move, whose switch and end are events")
def note_copied(move_id: UUID, *, row_count: int, byte_count: int) -> None:
    """Keep what the bulk copy carried."""
    with transaction():
        move = queries.get_move(move_id, lock=True)
        move.row_count, move.byte_count = row_count, byte_count


@unaudited("a part of the move, whose switch and end are events")
def note_switched(move_id: UUID, *, pause_seconds: float, key_count: int) -> None:
    """Keep how long the tenant was kept out; a later run that found the route turned tells nothing new."""
    with transaction():
        move = queries.get_move(move_id, lock=True)
        if move.pause_milliseconds is None or pause_seconds:
            move.pause_milliseconds, move.key_count = round(pause_seconds * 1000), key_count


def keep_old_home(move_id: UUID, *, actor: Actor) -> None:
    """Show that the tenant works at its new place, while the old home is kept for the way back."""
    _end(move_id, MoveState.KEPT, AuditAction.MOVE_SWITCHED, actor)


def end_purge(move_id: UUID, *, actor: Actor) -> None:
    """Show that the old home is gone."""
    _end(move_id, MoveState.FINISHED, AuditAction.MOVE_FINISHED, actor)


def end_return(move_id: UUID, *, actor: Actor) -> None:
    """Show that the tenant works where it did before the move."""
    _end(move_id, MoveState.RETURNED, AuditAction.MOVE_RETURNED, actor)


@unaudited("the move's end, which follows when it has been taken back, is an event")
def note_failure(move_id: UUID, *, error: str) -> None:
    """Keep why a move could not go on."""
    with transaction():
        queries.get_move(move_id, lock=True).error = error


def end_failed_move(move_id: UUID, *, actor: Actor) -> None:
    """Show that the move was given up and the tenant never left."""
    _end(move_id, MoveState.FAILED, AuditAction.MOVE_FAILED, actor)


@unaudited("the failure of the operation is an event")
def keep_waiting(move_id: UUID) -> None:
    """Show the old home as kept again, after going back or dropping it has failed."""
    with transaction():
        move = queries.get_move(move_id, lock=True)
        move.state, move.keep_until = MoveState.KEPT, clock.now() + KEPT
        tenants.get_tenant(move.tenant_id, lock=True).activity = TenantActivity.NONE


def _get_movable(tenant: Tenant) -> Placement:
    registry().forget(tenant.id)
    route = registry().find_route(tenant.id)
    if tenant.status not in MOVABLE or route is None or route.placement is None:
        raise StateError(f"{tenant.name} is {tenant.status.replace('_', ' ')}; it has no home that could be moved.")
    if queries.find_open_move(tenant.id) is not None:
        raise StateError(f"The last move of {tenant.name} has not come to its end: finish it or go back first.")
    return route.placement


def _start(move_id: UUID, state: MoveState, kind: str, action: AuditAction, actor: Actor) -> None:
    with transaction():
        move = queries.get_move(move_id, lock=True)
        if not move.is_kept:
            raise StateError("The old home of this move is not kept, or something is being done with it already.")
        move.state = state
        tenant = tenants.get_tenant(move.tenant_id, lock=True)
        if state is MoveState.RETURNING:
            tenant.activity = TenantActivity.MOVING
        record_event(action, target=tenant.target, actor=actor, tenant_id=tenant.id)
        start_operation(kind, tenant_id=tenant.id, payload={"move_id": str(move.id)}, actor=actor)


def _end(move_id: UUID, state: MoveState, action: AuditAction, actor: Actor) -> None:
    with transaction():
        move = queries.get_move(move_id, lock=True)
        if state is MoveState.KEPT:
            move.state, move.keep_until = state, clock.now() + KEPT
        else:
            move.end(state, clock.now())
        tenant = tenants.get_tenant(move.tenant_id, lock=True)
        tenant.activity = TenantActivity.NONE
        record_event(action, target=tenant.target, actor=actor, tenant_id=tenant.id, changes=_figures(move))


def _figures(move: Move) -> dict[str, tuple[Any, Any]]:
    names = ("row_count", "byte_count", "key_count", "pause_milliseconds", "error")
    return {name: (None, getattr(move, name)) for name in names if getattr(move, name)}
