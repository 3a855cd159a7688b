"""The servers of the platform portal: which there are, how they do, what lies on them, and registering further ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from uuid import UUID

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.errors import InputError
from app.core.permissions import Permission
from app.operations.queries import list_steps
from app.servers import queries, services
from app.servers.forms import USUAL_TERMS, RegistrationForm, TermsForm, UrlForm
from app.servers.models import ServerState
from app.servers.queries import DEFAULT_SORT, SORTS
from app.web.choices import REGIONS
from app.web.decorators import require
from app.web.forms import ConfirmForm, add_errors, choices_of
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor
from app.web.tables import TableState, csv_response

bp = Blueprint("servers_admin", __name__, subdomain=Surface.ADMIN)
CSV_HEADER = (
    "name", "region", "state", "reachable", "homes", "capacity", "accepts_homes", "version", "latency_seconds",
    "size_bytes", "storage_bytes", "connections", "connection_limit", "measured_at", "created_at", "id",
)  # fmt: skip


@bp.get("/servers")
@require(Permission.SERVER_READ)
def list_servers() -> ResponseReturnValue:
    """Show the servers that search and filters leave, a page of them."""
    state = _state()
    return render(
        "servers/admin/list_servers.html",
        fragment="servers/_servers.html",
        state=state,
        page=queries.search_servers(state),
        homes=queries.count_homes(),
        selects=[
            {"name": "state", "label": "State", "options": choices_of(ServerState)},
            {"name": "region", "label": "Region", "options": REGIONS},
        ],
    )


@bp.get("/servers.csv")
@require(Permission.SERVER_READ)
def list_servers_csv() -> ResponseReturnValue:
    """Send every server that search and filters leave."""
    return csv_response(f"servers-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, _csv_rows(_state()))


@bp.get("/servers/new")
@require(Permission.SERVER_MANAGE)
def new_server() -> ResponseReturnValue:
    """Show the form of a further server."""
    return _new_page(RegistrationForm(obj=USUAL_TERMS))


@bp.post("/servers")
@require(Permission.SERVER_MANAGE)
def create_server() -> ResponseReturnValue:
    """Register a server and show its preparation; an invalid form comes back with 422, without the URL."""
    form = RegistrationForm()
    if not form.validate_on_submit():
        return _new_page(form, 422)
    try:
        server_id = services.register_server(form.name.data, form.terms, url=form.url.data, actor=current_actor())
    except InputError as error:
        add_errors(form, error)
        return _new_page(form, 422)
    flash(f"{form.name.data} is being prepared.", "success")
    return _to(server_id)


@bp.get("/servers/<uuid:server_id>")
@require(Permission.SERVER_READ)
def show_server(server_id: UUID) -> ResponseReturnValue:
    """Show how a server does and what lies on it."""
    server = queries.get_server(server_id)
    operation = queries.find_latest_operation(server.name)
    return render(
        "servers/admin/show_server.html",
        server=server,
        counts=queries.count_homes(server.name).get(server.name),
        ready=queries.count_ready_homes(server.name),
        homes=queries.list_homes(server.name),
        most_homes=queries.MOST_HOMES,
        budget=queries.read_budget(),
        operation=operation,
        steps=list_steps(operation.id) if operation else [],
    )


@bp.get("/servers/<uuid:server_id>/edit")
@require(Permission.SERVER_MANAGE)
def edit_server(server_id: UUID) -> ResponseReturnValue:
    """Show the form of what was decided about a server."""
    server = queries.get_server(server_id)
    return _server_page("edit_server", server_id, TermsForm.of(server))


@bp.post("/servers/<uuid:server_id>/edit")
@require(Permission.SERVER_MANAGE)
def update_server(server_id: UUID) -> ResponseReturnValue:
    """Change what was decided about a server; an invalid form comes back with 422."""
    form = TermsForm()
    if not form.validate_on_submit():
        return _server_page("edit_server", server_id, form, 422)
    services.update_server(server_id, form.terms, actor=current_actor())
    flash("The server was saved.", "success")
    return _to(server_id)


@bp.get("/servers/<uuid:server_id>/url-changes")
@require(Permission.SERVER_MANAGE)
def new_url_change(server_id: UUID) -> ResponseReturnValue:
    """Say how the address of a server is changed, and ask for the new one."""
    return _server_page("new_url_change", server_id, UrlForm())


@bp.post("/servers/<uuid:server_id>/url-changes")
@require(Permission.SERVER_MANAGE)
def create_url_change(server_id: UUID) -> ResponseReturnValue:
    """Start checking the new address; an invalid form comes back with 422, without the URL."""
    form = UrlForm()
    if not form.validate_on_submit():
        return _server_page("new_url_change", server_id, form, 422)
    try:
        services.change_url(server_id, url=form.url.data, actor=current_actor())
    except InputError as error:
        add_errors(form, error)
        return _server_page("new_url_change", server_id, form, 422)
    flash("The new address is being checked; until then the old one is in force.", "success")
    return _to(server_id)


@bp.get("/servers/<uuid:server_id>/removal")
@require(Permission.SERVER_MANAGE)
def new_removal(server_id: UUID) -> ResponseReturnValue:
    """Say what removing a server does, and ask for its name."""
    server = queries.get_server(server_id)
    return _server_page("new_removal", server_id, ConfirmForm(expected=server.name))


@bp.post("/servers/<uuid:server_id>/removal")
@require(Permission.SERVER_MANAGE)
def create_removal(server_id: UUID) -> ResponseReturnValue:
    """Start removing a server without homes; another name than its own comes back with 422."""
    server = queries.get_server(server_id)
    form = ConfirmForm(expected=server.name)
    if not form.validate_on_submit():
        return _server_page("new_removal", server_id, form, 422)
    services.remove_server(server_id, actor=current_actor())
    flash(f"{server.name} is being removed.", "success")
    return redirect_to(url_for(".list_servers"))


def _state() -> TableState:
    filters: dict[str, Collection[str] | None] = {
        "state": list(ServerState),
        "region": [key for key, _name in REGIONS],
    }
    return TableState.from_args(request.args, sorts=SORTS, default_sort=DEFAULT_SORT, filters=filters)


def _new_page(form: RegistrationForm, status: int = 200) -> ResponseReturnValue:
    return render("servers/admin/new_server.html", status, form=form)


def _server_page(page: str, server_id: UUID, form: object, status: int = 200) -> Response:
    server = queries.get_server(server_id)
    counts = queries.count_homes(server.name).get(server.name)
    return render(f"servers/admin/{page}.html", status, server=server, counts=counts, form=form)


def _to(server_id: UUID) -> Response:
    return redirect_to(url_for(".show_server", server_id=server_id))


def _csv_rows(state: TableState) -> Iterator[tuple[object, ...]]:
    homes = queries.count_homes()
    for row in queries.iterate_servers(state):
        yield (
            row.name, row.region, row.state, row.is_reachable, homes[row.name].total if row.name in homes else 0,
            row.capacity, row.accepts_homes, row.version, row.latency_seconds, row.size_bytes, row.storage_bytes,
            row.connection_count, row.connection_limit, row.measured_at, row.created_at, str(row.id),
        )  # fmt: skip
