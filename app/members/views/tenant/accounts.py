"""One member: what those who manage members see and do."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.permissions import Permission
from app.credentials.history import tell_story
from app.members import queries, services
from app.members.forms import DeactivationForm, RoleForm
from app.members.models import MemberState
from app.members.views.tenant.blueprint import bp
from app.web.decorators import require
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor, current_viewer

BACK = {
    MemberState.ACTIVE.value: "{name} can sign in again, with the old password.",
    MemberState.INVITED.value: "{name} is invited again; the mail to {email} is on its way.",
}


@bp.get("/members/<uuid:member_id>")
@require(Permission.WORKSPACE_MEMBER_MANAGE)
def show_member(member_id: UUID) -> ResponseReturnValue:
    """Show a member's account and its history."""
    return _show(member_id, "show_member")


@bp.post("/members/<uuid:member_id>/invitations")
@require(Permission.WORKSPACE_MEMBER_MANAGE)
def create_reinvitation(member_id: UUID) -> ResponseReturnValue:
    """Send somebody who has not accepted yet a new invitation."""
    services.resend_invitation(member_id, actor=current_actor())
    email = queries.get_member(member_id).email
    flash(f"A new invitation is on its way to {email}; the earlier link no longer works.", "success")
    return _back(member_id)


@bp.post("/members/<uuid:member_id>/role-changes")
@require(Permission.WORKSPACE_MEMBER_MANAGE)
def create_role_change(member_id: UUID) -> ResponseReturnValue:
    """Give a member another role; an invalid form comes back with 422."""
    form = RoleForm()
    form.offer_roles(queries.list_roles())
    if not form.validate_on_submit():
        return _show(member_id, "show_member", 422, role_form=form)
    services.change_role(member_id, role_key=form.role.data, actor=current_actor())
    member = queries.get_member(member_id)
    flash(f"{member.name} now has the role {member.role.name}.", "success")
    return _back(member_id)


@bp.get("/members/<uuid:member_id>/deactivation")
@require(Permission.WORKSPACE_MEMBER_MANAGE)
def new_deactivation(member_id: UUID) -> ResponseReturnValue:
    """Say what deactivating a member does, and ask why."""
    return _show(member_id, "new_deactivation")


@bp.post("/members/<uuid:member_id>/deactivation")
@require(Permission.WORKSPACE_MEMBER_MANAGE)
def create_deactivation(member_id: UUID) -> ResponseReturnValue:
    """Let a member in no more; an invalid form comes back with 422."""
    form = DeactivationForm()
    if not form.validate_on_submit():
        return _show(member_id, "new_deactivation", 422, deactivation_form=form)
    services.deactivate_member(member_id, reason=form.reason.data, actor=current_actor())
    name = queries.get_member(member_id).name
    flash(f"{name} is deactivated and signed out everywhere. Reactivate takes it back.", "success")
    return _back(member_id)


@bp.post("/members/<uuid:member_id>/reactivation")
@require(Permission.WORKSPACE_MEMBER_MANAGE)
def create_reactivation(member_id: UUID) -> ResponseReturnValue:
    """Let a deactivated member in again."""
    services.reactivate_member(member_id, actor=current_actor())
    member = queries.get_member(member_id)
    flash(BACK[member.state].format(name=member.name, email=member.email), "success")
    return _back(member_id)


def _show(
    member_id: UUID,
    page: str,
    status: int = 200,
    *,
    role_form: RoleForm | None = None,
    deactivation_form: DeactivationForm | None = None,
) -> Response:
    overview = queries.get_member_overview(member_id, viewer_id=current_viewer().id, now=clock.now())
    role_form = role_form or RoleForm(formdata=None, data={"role": overview.member.role.key})
    role_form.offer_roles(overview.roles)
    return render(
        f"members/tenant/{page}.html",
        status,
        overview=overview,
        member=overview.member,
        is_viewer=member_id == current_viewer().id,
        story=tell_story(overview.events),
        role_form=role_form,
        form=deactivation_form or DeactivationForm(formdata=None),
    )


def _back(member_id: UUID) -> ResponseReturnValue:
    # Who changed themselves may not be allowed to see the page that they came from.
    if member_id == current_viewer().id:
        return redirect_to(url_for(".list_members"))
    return redirect_to(url_for(".show_member", member_id=member_id))
