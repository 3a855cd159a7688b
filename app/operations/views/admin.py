"""The operations of the platform portal: all of them, one of them live, trying it again and taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.permissions import Permission
from app.operations import queries, services
from app.operations.kinds import list_operation_kinds
from app.operations.models import OperationState
from app.operations.queries import OperationFilter
from app.web.decorators import require
from app.web.forms import choices_of
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render, trigger
from app.web.identity import current_actor
from app.web.named_tenants import find_named_tenant
from app.web.tables import TableState, csv_response

bp = Blueprint("operations_admin", __name__, subdomain=Surface.ADMIN)
ENDED = "operation-ended"
CSV_HEADER = (
    "id", "kind", "state", "tenant_id", "actor", "attempt", "done_steps", "steps", "error", "created_at",
    "started_at", "finished_at",
)  # fmt: skip


@bp.get("/operations")
@require(Permission.PLATFORM_READ)
def list_operations() -> ResponseReturnValue:
    """Show the operations that the filters leave, a page of them."""
    state = _state()
    return render(
        "operations/admin/list_operations.html",
        fragment="operations/_operations.html",
        state=state,
        page=queries.search_operations(_filter(state), state.cursor),
        states=choices_of(OperationState),
        kinds=[(kind.name, kind.title) for kind in list_operation_kinds()],
    )


@bp.get("/operations.csv")
@require(Permission.PLATFORM_READ)
def list_operations_csv() -> ResponseReturnValue:
    """Send the newest operations that the filters leave, not only a page of them."""
    return csv_response(f"operations-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, _csv_rows(_filter(_state())))


@bp.get("/operations/<uuid:operation_id>")
@require(Permission.PLATFORM_READ)
def show_operation(operation_id: UUID) -> ResponseReturnValue:
    """Show one operation, live until its end; pages that include its progress are told when that comes."""
    operation = queries.get_operation(operation_id)
    response = render(
        "operations/admin/show_operation.html",
        fragment="operations/_operation_progress.html",
        operation=operation,
        steps=queries.list_steps(operation_id),
    )
    return trigger(response, ENDED) if operation.is_final else response


@bp.post("/operations/<uuid:operation_id>/retries")
@require(Permission.OPERATION_RETRY)
def create_retry(operation_id: UUID) -> ResponseReturnValue:
    """Run a failed operation again from its first unfinished step."""
    services.retry_operation(operation_id, actor=current_actor())
    flash("The operation goes on.", "success")
    return redirect_to(url_for(".show_operation", operation_id=operation_id))


@bp.get("/operations/<uuid:operation_id>/compensation")
@require(Permission.OPERATION_RETRY)
def new_compensation(operation_id: UUID) -> ResponseReturnValue:
    """Say what taking an operation back will do, and ask."""
    operation, steps = queries.get_operation(operation_id), queries.list_steps(operation_id)
    return render("operations/admin/new_compensation.html", operation=operation, steps=steps)


@bp.post("/operations/<uuid:operation_id>/compensation")
@require(Permission.OPERATION_RETRY)
def create_compensation(operation_id: UUID) -> ResponseReturnValue:
    """Take back what a failed operation has done."""
    services.compensate_operation(operation_id, actor=current_actor())
    flash("The operation is being taken back.", "success")
    return redirect_to(url_for(".show_operation", operation_id=operation_id))


def _state() -> TableState:
    kinds = [kind.name for kind in list_operation_kinds()]
    return TableState.from_args(request.args, filters={"state": list(OperationState), "kind": kinds, "tenant": None})


def _filter(state: TableState) -> OperationFilter:
    tenant_id = find_named_tenant(state.filters.get("tenant"))
    return OperationFilter(state.filters.get("state"), state.filters.get("kind"), tenant_id)


def _csv_rows(wanted: OperationFilter) -> Iterator[tuple[object, ...]]:
    for row in queries.iterate_operations(wanted):
        yield (
            str(row.id), row.kind, row.state, str(row.tenant_id or ""), row.actor_label, row.attempt, row.done_count,
            row.total_count, row.error, row.created_at, row.started_at, row.finished_at,
        )  # fmt: skip
