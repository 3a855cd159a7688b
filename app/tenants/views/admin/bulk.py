"""One act on many tenants: a page that says what will happen to each, then one that says what did."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from app.core.errors import InputError
from app.core.permissions import Permission
from app.tenants import queries, services
from app.tenants.actions import REACTIVATION, SUSPENSION, StatusAction
from app.tenants.forms import ReactivationForm, SuspensionForm, TagForm
from app.tenants.queries import TenantLine
from app.tenants.views.admin.blueprint import bp
from app.web.decorators import require
from app.web.forms import Form, add_errors
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor

MOST_ROWS = 100


@bp.post("/tenants/bulk-suspensions/new")
@require(Permission.TENANT_SUSPEND)
def new_bulk_suspension() -> ResponseReturnValue:
    """Say which of the chosen tenants will be suspended, and ask why."""
    return _ask_status(SUSPENSION, SuspensionForm(formdata=None))


@bp.post("/tenants/bulk-suspensions")
@require(Permission.TENANT_SUSPEND)
def create_bulk_suspension() -> ResponseReturnValue:
    """Suspend the chosen tenants and show how it went for each; an invalid form comes back with 422."""
    form, tenant_ids = SuspensionForm(), _chosen()
    if not form.validate_on_submit():
        return _ask_status(SUSPENSION, form, 422)
    return _show_results(services.suspend_tenants(tenant_ids, reason=form.reason.data, actor=current_actor()))


@bp.post("/tenants/bulk-reactivations/new")
@require(Permission.TENANT_SUSPEND)
def new_bulk_reactivation() -> ResponseReturnValue:
    """Say which of the chosen tenants will work again."""
    return _ask_status(REACTIVATION, ReactivationForm(formdata=None))


@bp.post("/tenants/bulk-reactivations")
@require(Permission.TENANT_SUSPEND)
def create_bulk_reactivation() -> ResponseReturnValue:
    """Reactivate the chosen tenants and show how it went for each; an invalid form comes back with 422."""
    form, tenant_ids = ReactivationForm(), _chosen()
    if not form.validate_on_submit():
        return _ask_status(REACTIVATION, form, 422)
    return _show_results(services.reactivate_tenants(tenant_ids, reason=form.reason.data, actor=current_actor()))


@bp.post("/tenants/bulk-tags/new")
@require(Permission.TENANT_EDIT)
def new_bulk_tag() -> ResponseReturnValue:
    """Ask for the tag of the chosen tenants."""
    return _ask_tag(TagForm(formdata=None))


@bp.post("/tenants/bulk-tags")
@require(Permission.TENANT_EDIT)
def create_bulk_tag() -> ResponseReturnValue:
    """Tag the chosen tenants and show how it went for each; an invalid form comes back with 422."""
    form, tenant_ids = TagForm(), _chosen()
    if form.validate_on_submit():
        try:
            return _show_results(services.tag_tenants(tenant_ids, form.tag.data, actor=current_actor()))
        except InputError as error:
            add_errors(form, error)
    return _ask_tag(form, 422)


@bp.get("/tenants/bulk-results/<uuid:bulk_id>")
@require(Permission.TENANT_READ)
def show_bulk_results(bulk_id: UUID) -> ResponseReturnValue:
    """Show how an act on several tenants went for each."""
    act = queries.get_bulk_act(bulk_id)
    return render("tenants/admin/show_bulk_results.html", rows=act.rows, done_count=act.done_count)


def _chosen() -> list[UUID]:
    """Return the ids of the boxes that were ticked.

    Errors: InputError when there are none, too many, or one is no id.
    """
    given = request.form.getlist("ids")
    if not given:
        raise InputError("Nothing was selected. Go back and tick the tenants to act on.")
    if len(given) > MOST_ROWS:
        raise InputError(f"Select at most {MOST_ROWS} tenants at once.")
    try:
        return list(dict.fromkeys(UUID(text) for text in given))
    except ValueError as error:
        raise InputError("The selection cannot be read. Go back and select again.") from error


def _ask_status(action: StatusAction, form: Form, status: int = 200) -> ResponseReturnValue:
    lines = queries.list_lines(_chosen())
    return _ask(
        action.noun,
        form,
        status,
        rows=[(line, action.outcome(line.status)) for line in lines],
        acting_count=sum(action.applies_to(line.status) for line in lines),
        verb=action.verb,
        kind="danger" if action is SUSPENSION else "primary",
    )


def _ask_tag(form: Form, status: int = 200) -> ResponseReturnValue:
    rows = [(line, "Will be tagged") for line in queries.list_lines(_chosen())]
    return _ask("tag", form, status, rows=rows, acting_count=len(rows), verb="Tag", kind="primary")


def _ask(noun: str, form: Form, status: int, *, rows: list[tuple[TenantLine, str]], **context: Any) -> Response:
    chosen = _chosen()
    return render(
        f"tenants/admin/new_bulk_{noun}.html",
        status,
        chosen=chosen,
        rows=rows,
        missing_count=len(set(chosen)) - len(rows),
        form=form,
        action_url=url_for(f".create_bulk_{noun}"),
        back=url_for(".list_tenants"),
        **context,
    )


def _show_results(bulk_id: UUID) -> ResponseReturnValue:
    return redirect_to(url_for(".show_bulk_results", bulk_id=bulk_id))
