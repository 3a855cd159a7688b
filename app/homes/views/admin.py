"""The fleet board of the platform portal: versions of homes, the run that migrates them, and drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.database.versions import newest_version
from app.core.permissions import Permission
from app.core.tenancy.scopes import Tier
from app.homes import queries, services
from app.homes.forms import DEFAULT_PERCENT, RunForm
from app.homes.queries import DEFAULT_SORT, SORTS, STANDINGS
from app.web.decorators import require
from app.web.forms import choices_of
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor
from app.web.tables import TableState, csv_response

bp = Blueprint("homes_admin", __name__, subdomain=Surface.ADMIN)
CSV_HEADER = (
    "home", "tenant_id", "server", "database", "schema", "tier", "version", "standing", "migrated_at", "error",
    "differences", "checked_at",
)  # fmt: skip


@bp.get("/fleet")
@require(Permission.FLEET_READ)
def list_homes() -> ResponseReturnValue:
    """Show versions, the newest run, and the homes that search and filters leave."""
    state, counts = _state(), queries.count_versions()
    return render(
        "homes/admin/list_homes.html",
        fragment="homes/_homes.html",
        state=state,
        page=queries.search_homes(state),
        counts=counts,
        newest=newest_version("tenant"),
        ready_count=queries.count_ready(),
        drifted_count=queries.count_drifted(),
        checked_at=queries.find_last_check_at(),
        selects=_selects(sorted({count.server for count in counts})),
        **_run(),
    )


@bp.get("/fleet.csv")
@require(Permission.FLEET_READ)
def list_homes_csv() -> ResponseReturnValue:
    """Send every home that search and filters leave."""
    return csv_response(f"homes-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, _csv_rows(_state()))


@bp.get("/fleet/home")
@require(Permission.FLEET_READ)
def show_home() -> ResponseReturnValue:
    """Show one home: its version, and how it differs from the empty home of that version."""
    row = queries.get_home(request.args.get("server", ""), request.args.get("name", ""))
    return render("homes/admin/show_home.html", row=row, newest=newest_version("tenant"))


@bp.get("/fleet/run")
@require(Permission.FLEET_READ)
def show_run() -> ResponseReturnValue:
    """Show the newest run, live."""
    return render("homes/admin/show_run.html", fragment="homes/_run.html", **_run())


@bp.get("/fleet/runs/new")
@require(Permission.FLEET_MANAGE)
def new_run() -> ResponseReturnValue:
    """Say what a run does, and ask how many failures it bears."""
    return _new_page(RunForm(percent=DEFAULT_PERCENT))


@bp.post("/fleet/runs")
@require(Permission.FLEET_MANAGE)
def create_run() -> ResponseReturnValue:
    """Start a run over every home that is behind; an invalid form comes back with 422."""
    form = RunForm()
    if not form.validate_on_submit():
        return _new_page(form, 422)
    services.start_run(max_failure_ratio=form.percent.data / 100, actor=current_actor())
    return _to_board("The run has begun.")


@bp.post("/fleet/runs/<uuid:run_id>/pauses")
@require(Permission.FLEET_MANAGE)
def create_pause(run_id: UUID) -> ResponseReturnValue:
    """Let a run come to no more homes."""
    services.pause_run(run_id, actor=current_actor())
    return _to_board("The run is paused; homes that it was at are finished.")


@bp.post("/fleet/runs/<uuid:run_id>/resumptions")
@require(Permission.FLEET_MANAGE)
def create_resumption(run_id: UUID) -> ResponseReturnValue:
    """Let a run go on."""
    services.resume_run(run_id, actor=current_actor())
    return _to_board("The run goes on.")


@bp.post("/fleet/runs/<uuid:run_id>/retries")
@require(Permission.FLEET_MANAGE)
def create_retry(run_id: UUID) -> ResponseReturnValue:
    """Attempt the failed homes of a run again."""
    services.retry_failed(run_id, actor=current_actor())
    return _to_board("The homes that have failed are attempted again.")


@bp.post("/fleet/checks")
@require(Permission.FLEET_MANAGE)
def create_check() -> ResponseReturnValue:
    """Compare every home with what it should be, and show how far that is."""
    operation_id = services.start_check(actor=current_actor())
    return redirect_to(url_for("operations_admin.show_operation", operation_id=operation_id))


def _run() -> dict[str, Any]:
    run = queries.find_latest_run()
    if run is None:
        return {"run": None}
    failed = queries.list_failed_run_homes(run.id, queries.FAILED_ROWS)
    return {"run": run, "run_counts": queries.count_run_homes(run.id), "failed": failed}


def _new_page(form: RunForm, status: int = 200) -> ResponseReturnValue:
    counts, newest = queries.count_versions(), newest_version("tenant")
    behind_count = sum(count.count for count in counts if count.version < newest)
    return render("homes/admin/new_run.html", status, form=form, behind_count=behind_count, newest=newest)


def _to_board(words: str) -> ResponseReturnValue:
    flash(words, "success")
    return redirect_to(url_for(".list_homes"))


def _state() -> TableState:
    filters = {"server": None, "tier": list(Tier), "standing": STANDINGS}
    return TableState.from_args(request.args, sorts=SORTS, default_sort=DEFAULT_SORT, filters=filters)


def _selects(servers: list[str]) -> list[dict[str, object]]:
    return [
        {"name": "standing", "label": "Standing", "options": [(name, name.capitalize()) for name in STANDINGS]},
        {"name": "tier", "label": "Tier", "options": choices_of(Tier)},
        {"name": "server", "label": "Server", "options": [(name, name) for name in servers]},
    ]


def _csv_rows(state: TableState) -> Iterator[tuple[object, ...]]:
    for row in queries.iterate_homes(state):
        home, check = row.home, row.check
        yield (
            row.label, str(row.tenant_id or ""), home.server, home.database_name, home.schema_name, home.tier,
            home.version, row.standing, home.migrated_at, row.error, row.difference_count,
            check.checked_at if check is not None else None,
        )  # fmt: skip
