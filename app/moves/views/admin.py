"""Moves in the platform portal: all of them, one of them live, starting one, going back, dropping the old home."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.errors import InputError
from app.core.permissions import Permission
from app.core.tenancy.scopes import Tier
from app.moves import queries, services
from app.moves.forms import TIERS, MoveForm, PurgeForm, ReturnForm
from app.moves.models import MoveState
from app.operations.queries import find_latest_operation, list_steps
from app.servers.queries import list_open_servers
from app.tenants.queries import find_placement, get_tenant
from app.web.decorators import require
from app.web.forms import Form, add_errors, choices_of
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor
from app.web.tables import TableState, csv_response

bp = Blueprint("moves_admin", __name__, subdomain=Surface.ADMIN)
CSV_HEADER = (
    "id", "tenant_id", "state", "from", "to", "rows", "bytes", "changed_rows", "pause_milliseconds", "error", "by",
    "created_at", "keep_until", "finished_at",
)  # fmt: skip


@bp.get("/moves")
@require(Permission.TENANT_READ)
def list_moves() -> ResponseReturnValue:
    """Show the moves that search and filter leave, a page of them."""
    state = _state()
    return render(
        "moves/admin/list_moves.html",
        fragment="moves/_moves.html",
        state=state,
        page=queries.search_moves(state),
        states=choices_of(MoveState),
    )


@bp.get("/moves.csv")
@require(Permission.TENANT_READ)
def list_moves_csv() -> ResponseReturnValue:
    """Send the newest moves that search and filter leave."""
    return csv_response(f"moves-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, _csv_rows(_state()))


@bp.get("/moves/<uuid:move_id>")
@require(Permission.TENANT_READ)
def show_move(move_id: UUID) -> ResponseReturnValue:
    """Show one move with the progress of what is being done with it."""
    move = queries.get_move(move_id)
    operation = find_latest_operation(move.tenant_id)
    return render(
        "moves/admin/show_move.html",
        move=move,
        tenant=get_tenant(move.tenant_id),
        operation=operation,
        steps=list_steps(operation.id) if operation else [],
    )


@bp.get("/tenants/<uuid:tenant_id>/moves/new")
@require(Permission.TENANT_MOVE)
def new_move(tenant_id: UUID) -> ResponseReturnValue:
    """Ask where a tenant's home is to go; another tier of the same server is offered first."""
    placement = find_placement(tenant_id)
    here = (placement.tier, placement.server) if placement else (None, None)
    return _ask(tenant_id, MoveForm(tier=next(tier for tier in TIERS if tier != here[0]).value, server=here[1]))


@bp.post("/tenants/<uuid:tenant_id>/moves")
@require(Permission.TENANT_MOVE)
def create_move(tenant_id: UUID) -> ResponseReturnValue:
    """Start the move and show it; an invalid form comes back with 422."""
    form = MoveForm()
    form.offer_servers(list_open_servers())
    if not form.validate_on_submit():
        return _ask(tenant_id, form, 422)
    try:
        place = {"tier": Tier(form.tier.data), "server": form.server.data}
        move_id = services.start_move(tenant_id, **place, actor=current_actor())
    except InputError as error:
        add_errors(form, error)
        return _ask(tenant_id, form, 422)
    flash("The move has begun; the tenant works on meanwhile.", "success")
    return redirect_to(url_for(".show_move", move_id=move_id))


@bp.get("/moves/<uuid:move_id>/return")
@require(Permission.TENANT_MOVE)
def new_return(move_id: UUID) -> ResponseReturnValue:
    """Say what going back does, and ask."""
    return _ask_about("moves/admin/new_return.html", move_id, ReturnForm())


@bp.post("/moves/<uuid:move_id>/return")
@require(Permission.TENANT_MOVE)
def create_return(move_id: UUID) -> ResponseReturnValue:
    """Start going back, and show it."""
    services.start_return(move_id, actor=current_actor())
    flash("The home goes back, with what was written since.", "success")
    return redirect_to(url_for(".show_move", move_id=move_id))


@bp.get("/moves/<uuid:move_id>/purge")
@require(Permission.TENANT_MOVE)
def new_purge(move_id: UUID) -> ResponseReturnValue:
    """Say what dropping the old home does, and ask for the tenant's name."""
    return _ask_about("moves/admin/new_purge.html", move_id, PurgeForm())


@bp.post("/moves/<uuid:move_id>/purge")
@require(Permission.TENANT_MOVE)
def create_purge(move_id: UUID) -> ResponseReturnValue:
    """Start dropping the old home, and show it; without the right name the form comes back with 422."""
    form = PurgeForm()
    form.expect(get_tenant(queries.get_move(move_id).tenant_id).slug)
    if not form.validate_on_submit():
        return _ask_about("moves/admin/new_purge.html", move_id, form, 422)
    services.start_purge(move_id, actor=current_actor())
    flash("The old home is being dropped.", "success")
    return redirect_to(url_for(".show_move", move_id=move_id))


def _ask(tenant_id: UUID, form: MoveForm, status: int = 200) -> ResponseReturnValue:
    servers = list_open_servers()
    form.offer_servers(servers)
    return render(
        "moves/admin/new_move.html",
        status,
        tenant=get_tenant(tenant_id),
        form=form,
        placement=find_placement(tenant_id),
        home_bytes=queries.find_home_bytes(tenant_id),
        servers=servers,
        open_move=queries.find_open_move(tenant_id),
    )


def _ask_about(page: str, move_id: UUID, form: Form, status: int = 200) -> ResponseReturnValue:
    move = queries.get_move(move_id)
    return render(page, status, move=move, tenant=get_tenant(move.tenant_id), form=form)


def _state() -> TableState:
    return TableState.from_args(request.args, filters={"state": list(MoveState)})


def _csv_rows(state: TableState) -> Iterator[tuple[object, ...]]:
    for row in queries.iterate_moves(state):
        yield (
            str(row.id), str(row.tenant_id), row.state, row.from_place, row.to_place, row.row_count, row.byte_count,
            row.key_count, row.pause_milliseconds, row.error, row.actor_label, row.created_at, row.keep_until,
            row.finished_at,
        )  # fmt: skip
