"""The list of members, its export, the roles, and inviting somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.errors import InputError
from app.core.permissions import Permission
from app.credentials.grants import RoleColumn, list_grants
from app.members import queries, services
from app.members.forms import InvitationForm
from app.members.models import MemberState, Role
from app.members.roles import WORKSPACE_PERMISSIONS, RoleKey
from app.members.views.tenant.blueprint import bp
from app.web.decorators import require
from app.web.forms import add_errors, choices_of
from app.web.htmx import is_fragment_request, redirect_to, render
from app.web.identity import current_actor, current_viewer
from app.web.tables import TableState, csv_response

CSV_HEADER = ("name", "email", "role", "state", "created_at", "last_signed_in_at", "id")


@bp.get("/members")
@require(Permission.WORKSPACE_MEMBER_READ)
def list_members() -> ResponseReturnValue:
    """Show the members that search and filters leave, a page of them."""
    state = _state()
    # What was typed swaps the table alone, so what stands above it needs no query.
    whole: dict[str, Any] = {}
    if not is_fragment_request():
        whole = {"counts": queries.count_members(), "selects": _selects()}
    page = queries.list_members(state)
    return render("members/tenant/list_members.html", fragment="members/_members.html", page=page, state=state, **whole)


@bp.get("/members.csv")
@require(Permission.WORKSPACE_MEMBER_READ)
def list_members_csv() -> ResponseReturnValue:
    """Send the whole list as search, filters and order leave it, not only a page."""
    return csv_response(f"members-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, _csv_rows(_state()))


@bp.get("/members/new-invitation")
@require(Permission.WORKSPACE_MEMBER_MANAGE)
def new_invitation() -> ResponseReturnValue:
    """Show the form."""
    return _form_page(InvitationForm(data={"role": RoleKey.MEMBER.value}))


@bp.post("/members")
@require(Permission.WORKSPACE_MEMBER_MANAGE)
def create_invitation() -> ResponseReturnValue:
    """Invite somebody and go back to the list; an invalid form comes back with 422."""
    form = InvitationForm()
    form.offer_roles(_roles_to_give())
    if not form.validate_on_submit():
        return _form_page(form, 422)
    try:
        services.invite_member(
            name=form.name.data, email=form.email.data, role_key=form.role.data, actor=current_actor()
        )
    except InputError as error:
        add_errors(form, error)
        return _form_page(form, 422)
    flash(f"{form.name.data} is invited; the mail to {form.email.data} is on its way.", "success")
    return redirect_to(url_for(".list_members"))


@bp.get("/roles")
@require(Permission.WORKSPACE_MEMBER_READ)
def list_roles() -> ResponseReturnValue:
    """Show what each role allows."""
    roles = [RoleColumn(role.name, role.granted) for role in queries.list_roles()]
    return render("members/tenant/list_roles.html", roles=roles, grants=list_grants(WORKSPACE_PERMISSIONS, roles))


def _state() -> TableState:
    filters = {"state": list(MemberState), "role": None}
    return TableState.from_args(request.args, sorts=queries.SORTS, default_sort=queries.DEFAULT_SORT, filters=filters)


def _selects() -> list[dict[str, Any]]:
    roles = [(role.key, role.name) for role in queries.list_roles()]
    return [
        {"name": "state", "label": "State", "options": choices_of(MemberState)},
        {"name": "role", "label": "Role", "options": roles},
    ]


def _csv_rows(state: TableState) -> Iterator[tuple[object, ...]]:
    for member in queries.iterate_members(state):
        yield (
            member.name,
            member.email,
            member.role.name,
            member.state,
            member.created_at,
            member.last_signed_in_at,
            str(member.id),
        )


def _roles_to_give() -> list[Role]:
    return queries.list_roles_to_give(queries.get_member(current_viewer().id))


def _form_page(form: InvitationForm, status: int = 200) -> ResponseReturnValue:
    form.offer_roles(_roles_to_give())
    return render("members/tenant/new_invitation.html", status, form=form)
