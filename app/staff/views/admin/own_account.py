"""A staff user's own account: details, password, sessions."""

from __future__ import annotations

from uuid import UUID

from flask import flash, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.errors import InputError
from app.credentials.devices import describe_sessions
from app.credentials.forms import ChangePasswordForm
from app.staff import queries, services
from app.staff.views.admin.blueprint import bp
from app.web.decorators import require_viewer
from app.web.forms import add_errors
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor, current_viewer


@bp.get("/account")
@require_viewer
def show_account() -> ResponseReturnValue:
    """Show the viewer's own account and where they are signed in."""
    viewer, now = current_viewer(), clock.now()
    sessions = describe_sessions(queries.list_live_sessions(viewer.id, now), viewer.session_id)
    return render("staff/admin/show_account.html", user=queries.get_staff_user(viewer.id), sessions=sessions)


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
        except InputError as error:
            add_errors(form, error)
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
