"""A member's own account: name, password, sessions."""

from __future__ import annotations

from uuid import UUID

from flask import flash, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.credentials.devices import describe_sessions
from app.credentials.forms import ChangePasswordForm
from app.credentials.refusals import REFUSALS, render_refused
from app.members import queries, services
from app.members.forms import ProfileForm
from app.members.views.tenant.blueprint import bp
from app.web.decorators import require_viewer
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor, current_viewer


@bp.get("/profile")
@require_viewer
def show_profile() -> ResponseReturnValue:
    """Show the viewer's own account."""
    form = ProfileForm(data={"name": current_viewer().name})
    return render("members/tenant/show_profile.html", form=form)


@bp.post("/profile")
@require_viewer
def update_profile() -> ResponseReturnValue:
    """Change the viewer's own name; an invalid form comes back with 422."""
    form = ProfileForm()
    if not form.validate_on_submit():
        return render("members/tenant/show_profile.html", 422, form=form)
    services.update_profile(name=form.name.data, actor=current_actor())
    flash("Your profile is saved.", "success")
    return redirect_to(url_for(".show_profile"))


@bp.get("/profile/password")
@require_viewer
def edit_password() -> ResponseReturnValue:
    """Show the form."""
    return render("members/tenant/edit_password.html", form=ChangePasswordForm())


@bp.post("/profile/password")
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
            return redirect_to(url_for(".edit_password"))
        except REFUSALS as error:
            return render_refused("members/tenant/edit_password.html", form, error)
    return render("members/tenant/edit_password.html", 422, form=form)


@bp.get("/profile/sessions")
@require_viewer
def list_sessions() -> ResponseReturnValue:
    """Show where the viewer is signed in."""
    viewer = current_viewer()
    sessions = describe_sessions(queries.list_live_sessions(viewer.id, clock.now()), viewer.session_id)
    return render("members/tenant/list_sessions.html", sessions=sessions)


@bp.post("/profile/sessions/<uuid:session_id>/revocation")
@require_viewer
def create_session_revocation(session_id: UUID) -> ResponseReturnValue:
    """End one of the viewer's own sessions."""
    services.revoke_session(session_id, actor=current_actor())
    flash("That session is signed out.", "success")
    return redirect_to(url_for(".list_sessions"))


@bp.post("/profile/sessions/revocations")
@require_viewer
def create_session_revocations() -> ResponseReturnValue:
    """End all of the viewer's own sessions but this one."""
    services.revoke_other_sessions(keep_session_id=current_viewer().session_id, actor=current_actor())
    flash("Every other session of yours is signed out.", "success")
    return redirect_to(url_for(".list_sessions"))
