"""One staff user: what those who manage staff see and do."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.permissions import Permission
from app.credentials.history import tell_story
from app.staff import queries, services
from app.staff.forms import DeactivationForm, RoleForm
from app.staff.roles import StaffRole
from app.staff.views.admin.blueprint import bp
from app.web.decorators import require
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor, current_viewer


@bp.get("/staff/<uuid:staff_user_id>")
@require(Permission.STAFF_READ)
def show_staff_user(staff_user_id: UUID) -> ResponseReturnValue:
    """Show a staff user's account and its history."""
    return _show(staff_user_id, "show_staff_user")


@bp.post("/staff/<uuid:staff_user_id>/role-changes")
@require(Permission.STAFF_MANAGE)
def create_role_change(staff_user_id: UUID) -> ResponseReturnValue:
    """Give a staff user another role; an invalid form comes back with 422."""
    form = RoleForm()
    if not form.validate_on_submit():
        return _show(staff_user_id, "show_staff_user", 422, role_form=form)
    services.change_role(staff_user_id, role=form.role.data, actor=current_actor())
    user = queries.get_staff_user(staff_user_id)
    flash(f"{user.name} now has the role {StaffRole(user.role).label}.", "success")
    return _back(staff_user_id)


@bp.post("/staff/<uuid:staff_user_id>/sign-in-links")
@require(Permission.STAFF_MANAGE)
def create_sign_in_link(staff_user_id: UUID) -> ResponseReturnValue:
    """Send a staff user a new one-time link."""
    services.send_sign_in_link(staff_user_id, actor=current_actor())
    email = queries.get_staff_user(staff_user_id).email
    flash(f"A one-time link is on its way to {email}; earlier links no longer work.", "success")
    return _back(staff_user_id)


@bp.get("/staff/<uuid:staff_user_id>/deactivation")
@require(Permission.STAFF_MANAGE)
def new_deactivation(staff_user_id: UUID) -> ResponseReturnValue:
    """Say what deactivating a staff user does, and ask why."""
    return _show(staff_user_id, "new_deactivation")


@bp.post("/staff/<uuid:staff_user_id>/deactivation")
@require(Permission.STAFF_MANAGE)
def create_deactivation(staff_user_id: UUID) -> ResponseReturnValue:
    """Let a staff user in no more; an invalid form comes back with 422."""
    form = DeactivationForm()
    if not form.validate_on_submit():
        return _show(staff_user_id, "new_deactivation", 422, deactivation_form=form)
    services.deactivate_staff_user(staff_user_id, reason=form.reason.data, actor=current_actor())
    name = queries.get_staff_user(staff_user_id).name
    flash(f"{name} is deactivated and signed out everywhere. Reactivate takes it back.", "success")
    return _back(staff_user_id)


@bp.post("/staff/<uuid:staff_user_id>/reactivation")
@require(Permission.STAFF_MANAGE)
def create_reactivation(staff_user_id: UUID) -> ResponseReturnValue:
    """Let a deactivated staff user in again."""
    services.reactivate_staff_user(staff_user_id, actor=current_actor())
    flash(f"{queries.get_staff_user(staff_user_id).name} can sign in again.", "success")
    return _back(staff_user_id)


def _show(
    staff_user_id: UUID,
    page: str,
    status: int = 200,
    *,
    role_form: RoleForm | None = None,
    deactivation_form: DeactivationForm | None = None,
) -> Response:
    overview = queries.get_staff_overview(staff_user_id, clock.now())
    return render(
        f"staff/admin/{page}.html",
        status,
        overview=overview,
        user=overview.user,
        role=StaffRole(overview.user.role).label,
        is_viewer=staff_user_id == current_viewer().id,
        story=tell_story(overview.events),
        role_form=role_form or RoleForm(formdata=None, data={"role": overview.user.role}),
        form=deactivation_form or DeactivationForm(formdata=None),
    )


def _back(staff_user_id: UUID) -> ResponseReturnValue:
    return redirect_to(url_for(".show_staff_user", staff_user_id=staff_user_id))
