"""The list of tenants, its export, and the views that a staff user saves of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl
from uuid import UUID

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from app.core import clock
from app.core.errors import InputError
from app.core.permissions import Permission
from app.core.tenancy.scopes import Tier
from app.plans.queries import list_plans
from app.servers.queries import list_servers
from app.tenants import queries, services
from app.tenants.actions import REACTIVATION, SUSPENSION
from app.tenants.forms import ViewForm
from app.tenants.queries.listing import CLONES, DEFAULT_SORT, FILTERS, ORIGINALS, SORTS
from app.tenants.status import TenantStatus
from app.tenants.views.admin.blueprint import bp
from app.tenants.views.admin.undo import Undo, offer_undo, take_undo
from app.web.choices import name_region
from app.web.decorators import require
from app.web.forms import add_errors, choices_of
from app.web.htmx import is_fragment_request, redirect_to, render
from app.web.identity import current_actor, current_viewer
from app.web.tables import TableState, csv_response

LIST = "tenants"
ORIGINS = [(CLONES, "Clones"), (ORIGINALS, "No clones")]
CSV_HEADER = (
    "slug", "name", "status", "plan", "region", "tier", "server", "owner_name", "owner_email", "tags", "created_at",
    "id", "cloned_from", "expires_on",
)  # fmt: skip


@bp.get("/tenants")
@require(Permission.TENANT_READ)
def list_tenants() -> ResponseReturnValue:
    """Show the tenants that search and filters leave, a page of them."""
    return _show_list(_state(request.args), ViewForm(formdata=None))


@bp.get("/tenants.csv")
@require(Permission.TENANT_READ)
def list_tenants_csv() -> ResponseReturnValue:
    """Send the whole list as search, filters and order leave it, not only a page."""
    rows = _csv_rows(_state(request.args))
    return csv_response(f"tenants-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, rows)


@bp.post("/tenants/views")
@require(Permission.TENANT_READ)
def create_view() -> ResponseReturnValue:
    """Save the list's query under a name and show it; an invalid form comes back with 422."""
    form = ViewForm()
    state = _state(MultiDict(parse_qsl((form.query.data or "").removeprefix("?"))))
    if not form.validate_on_submit():
        return _show_list(state, form, 422)
    try:
        services.save_view(
            current_viewer().id, LIST, name=form.name.data, query=state.query_without_place, actor=current_actor()
        )
    except InputError as error:
        add_errors(form, error)
        return _show_list(state, form, 422)
    flash(f"View “{form.name.data}” was saved.", "success")
    # The page is a new one, and the keyboard goes on where it was: at the views.
    return redirect_to(f"{url_for('.list_tenants')}{state.query_without_place}#views")


@bp.post("/tenants/views/<uuid:view_id>/deletion")
@require(Permission.TENANT_READ)
def create_view_deletion(view_id: UUID) -> ResponseReturnValue:
    """Delete a view of the viewer's own and offer to take that back."""
    view = services.delete_view(current_viewer().id, view_id, actor=current_actor())
    fields = {"name": view.name, "query": view.query}
    offer_undo(Undo(f"View “{view.name}” was deleted.", url_for(".create_view"), fields))
    return redirect_to(url_for(".list_tenants"))


def _state(args: MultiDict[str, str]) -> TableState:
    known = {"status": list(TenantStatus), "tier": list(Tier), "origin": [key for key, _label in ORIGINS]}
    filters = dict.fromkeys(FILTERS) | known
    return TableState.from_args(args, sorts=list(SORTS), default_sort=DEFAULT_SORT, filters=filters)


def _show_list(state: TableState, form: ViewForm, status: int = 200) -> ResponseReturnValue:
    # What was typed swaps the table alone, so the choices above it need no query.
    whole = {} if is_fragment_request() else _above_table(state)
    return render(
        "tenants/admin/list_tenants.html",
        status,
        fragment="tenants/_tenants.html",
        state=state,
        page=queries.list_tenants(state),
        total=queries.count_tenants(state),
        views=queries.list_views(current_viewer().id, LIST),
        form=form,
        bulk_actions=[SUSPENSION, REACTIVATION],
        **whole,
    )


def _above_table(state: TableState) -> dict[str, object]:
    # The table carries the order, because it is swapped with it.
    unordered = replace(state, sort=DEFAULT_SORT.removeprefix("-"), descending=DEFAULT_SORT.startswith("-"))
    return {"filters": unordered, "selects": _selects(), "undo": take_undo()}


def _selects() -> list[dict[str, object]]:
    return [
        {"name": "status", "label": "Status", "options": choices_of(TenantStatus)},
        {"name": "plan", "label": "Plan", "options": [(plan.key, plan.name) for plan in list_plans()]},
        {"name": "region", "label": "Region", "options": [(key, name_region(key)) for key in queries.list_regions()]},
        {"name": "tier", "label": "Isolation", "options": choices_of(Tier)},
        {"name": "server", "label": "Server", "options": _pairs([server.name for server in list_servers()])},
        {"name": "origin", "label": "Origin", "options": ORIGINS},
        {"name": "tag", "label": "Tag", "options": _pairs(queries.list_used_tags())},
    ]


def _pairs(values: list[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


def _csv_rows(state: TableState) -> Iterator[tuple[object, ...]]:
    for line in queries.iterate_tenants(state):
        yield (
            line.slug, line.name, line.status, line.plan, line.region, line.tier, line.server, line.owner_name,
            line.owner_email, " ".join(line.tags), line.created_at, str(line.id), line.cloned_from,
            line.expires_on,
        )  # fmt: skip
