"""A staff user's own account: name, password, sessions."""

from __future__ import annotations

from uuid import UUID

from flask import flash, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.credentials.devices import describe_sessions
from app.credentials.forms import ChangePasswordForm
from app.credentials.refusals import REFUSALS, render_refused
from app.staff import queries, services
from app.staff.forms import ProfileForm
from app.staff.views.admin.blueprint import bp
from app.web.decorators import require_viewer
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor, current_viewer


@bp.get("/account")
@require_viewer
def show_account() -> ResponseReturnValue:
    """Show the viewer's own account and where they are signed in."""
    return _account_page(ProfileForm(data={"name": current_viewer().name}))


@bp.post("/account")
@require_viewer
def update_account() -> ResponseReturnValue:
    """Change the viewer's own name; an invalid form comes back with 422."""
    form = ProfileForm()
    if not form.validate_on_submit():
        return _account_page(form, 422)
    services.update_profile(name=form.name.data, actor=current_actor())
    flash("Your name is saved.", "success")
    return redirect_to(url_for(".show_account"))


@bp.get("/account/password")
@require_viewer
def edit_password() -> ResponseReturnValue:
    """Show the form."""
    return render("staff/admin/edit_password.html", form=ChangePasswordForm())


@bp.post("/account/password")
@require_viewer
def update_password() -> ResponseReturnValue:
    """Change the viewer's own password and end their other sessions; an invalid form comes back with 422."""
    form, viewer = ChangePasswordForm(), current_viewer()
    if form.validate_on_submit():
        try:
            services.change_password(
                old_password=form.old_password.data,
                password=form.password.data,
                keep_session_id=viewer.session_id,
                actor=current_actor(),
            )
            flash("Your password is changed; every other session of yours is signed out.", "success")
            return redirect_to(url_for(".show_account"))
        except REFUSALS as error:
            return render_refused("staff/admin/edit_password.html", form, error)
    return render("staff/admin/edit_password.html", 422, form=form)


@bp.post("/account/sessions/<uuid:session_id>/revocation")
@require_viewer
def create_session_revocation(session_id: UUID) -> ResponseReturnValue:
    """End one of the viewer's own sessions."""
    services.revoke_session(session_id, actor=current_actor())
    flash("That session is signed out.", "success")
    return redirect_to(url_for(".show_account"))


@bp.post("/account/sessions/revocations")
@require_viewer
def create_session_revocations() -> ResponseReturnValue:
    """End all of the viewer's own sessions but this one."""
    services.revoke_other_sessions(keep_session_id=current_viewer().session_id, actor=current_actor())
    flash("Every other session of yours is signed out.", "success")
    return redirect_to(url_for(".show_account"))


def _account_page(form: ProfileForm, status: int = 200) -> ResponseReturnValue:
    viewer = current_viewer()
    sessions = describe_sessions(queries.list_live_sessions(viewer.id, clock.now()), viewer.session_id)
    user = queries.get_staff_user(viewer.id)
    return render("staff/admin/show_account.html", status, user=user, sessions=sessions, form=form)
