"""Signing in to the platform portal."""

from __future__ import annotations

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.errors import InputError, ThrottledError
from app.credentials.link_rows import LinkError
from app.credentials.links import LinkPurpose
from app.credentials.refusals import REFUSALS, render_refused
from app.sign_in.forms import ForgottenPasswordForm, PasswordForm, SignInForm
from app.sign_in.next_page import choose_next_page
from app.sign_in.visits import current_visit, enter
from app.staff import queries, services
from app.staff.viewers import load_viewer
from app.web.decorators import allow_anybody, require_viewer
from app.web.forms import add_errors
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor, current_viewer, find_viewer, sign_out_viewer

bp = Blueprint("sign_in_admin", __name__, subdomain=Surface.ADMIN)


@bp.get("/sign-in")
@allow_anybody("this is where signing in begins")
def new_session() -> ResponseReturnValue:
    """Show the form; whoever is signed in already goes on."""
    wanted = request.args.get("next")
    if find_viewer() is not None:
        return redirect_to(choose_next_page(wanted))
    return render("sign_in/admin/new_session.html", form=SignInForm(data={"next": wanted}))


@bp.post("/sign-in")
@allow_anybody("this is where signing in begins")
def create_session() -> ResponseReturnValue:
    """Sign in and go on; a wrong address and a wrong password come back with the same words."""
    form = SignInForm()
    if form.validate_on_submit():
        try:
            token = services.sign_in(email=form.email.data, password=form.password.data, visit=current_visit())
            return enter(load_viewer(token), form.next.data)
        except REFUSALS as error:
            return render_refused("sign_in/admin/new_session.html", form, error)
    return render("sign_in/admin/new_session.html", 422, form=form)


@bp.post("/sign-out")
@require_viewer
def delete_session() -> ResponseReturnValue:
    """End the session and show the sign-in page."""
    services.sign_out(current_viewer().session_id, actor=current_actor())
    sign_out_viewer()
    flash("You are signed out.", "success")
    return redirect_to(url_for(".new_session"))


@bp.get("/sign-in/<token>")
@allow_anybody("the link is the proof")
def new_password(token: str) -> ResponseReturnValue:
    """Show whose link this is and ask for a password; nothing is spent yet."""
    user = queries.get_staff_user_by_link(token, LinkPurpose.STAFF_SIGN_IN, clock.now())
    return render("sign_in/admin/new_password.html", form=PasswordForm(), user=user, token=token)


@bp.post("/sign-in/<token>")
@allow_anybody("the link is the proof")
def create_password(token: str) -> ResponseReturnValue:
    """Spend the link, set the password and sign in."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            session_token = services.accept_link(token, password=form.password.data, visit=current_visit())
            return enter(load_viewer(session_token))
        except InputError as error:
            add_errors(form, error)
    user = queries.get_staff_user_by_link(token, LinkPurpose.STAFF_SIGN_IN, clock.now())
    return render("sign_in/admin/new_password.html", 422, form=form, user=user, token=token)


@bp.get("/forgotten-password")
@allow_anybody("who forgot the password cannot sign in")
def new_password_reset() -> ResponseReturnValue:
    """Ask whose password was forgotten."""
    return render("sign_in/admin/new_password_reset.html", form=ForgottenPasswordForm())


@bp.post("/forgotten-password")
@allow_anybody("who forgot the password cannot sign in")
def create_password_reset() -> ResponseReturnValue:
    """Send a link if there is such an account, and answer the same if there is not."""
    form = ForgottenPasswordForm()
    if not form.validate_on_submit():
        return render("sign_in/admin/new_password_reset.html", 422, form=form)
    try:
        services.request_password_reset(email=form.email.data, visit=current_visit())
    except ThrottledError as error:
        return render_refused("sign_in/admin/new_password_reset.html", form, error)
    return redirect_to(url_for(".show_password_reset"))


@bp.get("/forgotten-password/sent")
@allow_anybody("who forgot the password cannot sign in")
def show_password_reset() -> ResponseReturnValue:
    """Say what happens next, whether or not there is such an account."""
    return render("sign_in/admin/show_password_reset.html")


@bp.get("/password-reset/<token>")
@allow_anybody("the link is the proof")
def edit_password(token: str) -> ResponseReturnValue:
    """Show whose link this is and ask for a new password; nothing is spent yet."""
    user = queries.get_staff_user_by_link(token, LinkPurpose.STAFF_RESET, clock.now())
    return render("sign_in/admin/edit_password.html", form=PasswordForm(), user=user, token=token)


@bp.post("/password-reset/<token>")
@allow_anybody("the link is the proof")
def update_password(token: str) -> ResponseReturnValue:
    """Spend the link, set the new password and sign in."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            session_token = services.reset_password(token, password=form.password.data, visit=current_visit())
            return enter(load_viewer(session_token))
        except InputError as error:
            add_errors(form, error)
    user = queries.get_staff_user_by_link(token, LinkPurpose.STAFF_RESET, clock.now())
    return render("sign_in/admin/edit_password.html", 422, form=form, user=user, token=token)


@bp.errorhandler(LinkError)
def show_void_link(error: LinkError) -> ResponseReturnValue:
    """Say that a link no longer works, and how to get another one."""
    return render("sign_in/admin/show_void_link.html", 410, message=str(error))
