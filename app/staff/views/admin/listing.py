"""The list of staff users, its export, the roles, and adding somebody."""

from __future__ import annotations

from collections.abc import Iterator

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.errors import InputError
from app.core.permissions import Permission
from app.credentials.grants import RoleColumn, list_grants
from app.staff import queries, services
from app.staff.forms import ROLES, StaffUserForm
from app.staff.models import StaffState
from app.staff.roles import PLATFORM_PERMISSIONS, StaffRole
from app.staff.views.admin.blueprint import bp
from app.web.decorators import require
from app.web.forms import add_errors, choices_of
from app.web.htmx import is_fragment_request, redirect_to, render
from app.web.identity import current_actor
from app.web.tables import TableState, csv_response

CSV_HEADER = ("name", "email", "role", "state", "created_at", "last_signed_in_at", "id")
SELECTS = (
    {"name": "state", "label": "State", "options": choices_of(StaffState)},
    {"name": "role", "label": "Role", "options": ROLES},
)


@bp.get("/staff")
@require(Permission.STAFF_READ)
def list_staff_users() -> ResponseReturnValue:
    """Show the staff users that search and filters leave, a page of them."""
    state = _state()
    # What was typed swaps the table alone, so what stands above it needs no query.
    counts = {} if is_fragment_request() else queries.count_staff_users()
    return render(
        "staff/admin/list_staff_users.html",
        fragment="staff/_staff_users.html",
        page=queries.list_staff_page(state),
        state=state,
        counts=counts,
        selects=SELECTS,
        role_labels=dict(ROLES),
    )


@bp.get("/staff.csv")
@require(Permission.STAFF_READ)
def list_staff_users_csv() -> ResponseReturnValue:
    """Send the whole list as search, filters and order leave it, not only a page."""
    return csv_response(f"staff-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, _csv_rows(_state()))


@bp.get("/staff/new")
@require(Permission.STAFF_MANAGE)
def new_staff_user() -> ResponseReturnValue:
    """Show the form."""
    return render("staff/admin/new_staff_user.html", form=StaffUserForm(data={"role": StaffRole.SUPPORT.value}))


@bp.post("/staff")
@require(Permission.STAFF_MANAGE)
def create_staff_user() -> ResponseReturnValue:
    """Add a staff user and show them; an invalid form comes back with 422."""
    form = StaffUserForm()
    if form.validate_on_submit():
        try:
            user_id = services.create_staff_user(
                email=form.email.data, name=form.name.data, role=form.role.data, actor=current_actor()
            )
            flash(f"{form.name.data} is added; the one-time link to {form.email.data} is on its way.", "success")
            return redirect_to(url_for(".show_staff_user", staff_user_id=user_id))
        except InputError as error:
            add_errors(form, error)
    return render("staff/admin/new_staff_user.html", 422, form=form)


@bp.get("/staff/roles")
@require(Permission.STAFF_READ)
def list_roles() -> ResponseReturnValue:
    """Show what each role allows."""
    roles = [RoleColumn(role.label, role.permissions) for role in StaffRole]
    return render("staff/admin/list_roles.html", roles=roles, grants=list_grants(PLATFORM_PERMISSIONS, roles))


def _state() -> TableState:
    filters: dict[str, list[str]] = {"state": [*StaffState], "role": [*StaffRole]}
    return TableState.from_args(request.args, sorts=queries.SORTS, default_sort=queries.DEFAULT_SORT, filters=filters)


def _csv_rows(state: TableState) -> Iterator[tuple[object, ...]]:
    for user in queries.iterate_staff_users(state):
        yield (user.name, user.email, user.role, user.state, user.created_at, user.last_signed_in_at, str(user.id))
