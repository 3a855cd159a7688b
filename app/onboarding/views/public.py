"""Sign-up on the public site."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.errors import InputError, ThrottledError
from app.credentials.refusals import render_refused
from app.credentials.throttles import say_wait
from app.onboarding import queries, services
from app.onboarding.forms import SignUpForm
from app.onboarding.views.suggestions import render_slug_suggestion
from app.operations.queries import find_latest_operation, list_steps
from app.plans.queries import list_plans
from app.web.decorators import allow_anybody
from app.web.forms import add_errors
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor
from app.web.links import admin_url, tenant_url
from app.web.rate_limits import limiter

bp = Blueprint("onboarding_public", __name__, subdomain=Surface.PUBLIC)
FORM_PAGE = "onboarding/public/new_sign_up.html"
VISITORS = "a visitor has no account yet"


@bp.get("/")
@allow_anybody(VISITORS)
def show_home() -> ResponseReturnValue:
    """Say what this is and where to go."""
    return render("onboarding/public/show_home.html", plans=list_plans(), admin_url=admin_url())


@bp.get("/sign-up")
@allow_anybody(VISITORS)
def new_sign_up() -> ResponseReturnValue:
    """Show the form."""
    return _form_page(SignUpForm(plan=request.args.get("plan")))


@bp.post("/sign-up")
@allow_anybody(VISITORS)
@limiter.limit("20 per hour", on_breach=lambda limit: _slow_down(limit.reset_at))
def create_sign_up() -> ResponseReturnValue:
    """Ask the visitor to confirm by mail; an invalid form comes back with 422, and with 429 after too many."""
    form = SignUpForm()
    form.offer_plans(list_plans())
    if not form.validate_on_submit():
        return _form_page(form, 422)
    try:
        services.request_tenant(form.draft(Surface.PUBLIC), actor=current_actor())
    except InputError as error:
        add_errors(form, error)
        return _form_page(form, 422)
    return redirect_to(url_for(".show_sign_up_sent"))


@bp.get("/sign-up/sent")
@allow_anybody(VISITORS)
def show_sign_up_sent() -> ResponseReturnValue:
    """Say that a mail is on its way."""
    return render("onboarding/public/show_sign_up_sent.html")


@bp.get("/sign-up/slug-checks")
@allow_anybody(VISITORS)
@limiter.limit("120 per minute")
def show_slug_check() -> ResponseReturnValue:
    """Say, while it is typed, whether an address can be had."""
    check = queries.check_availability(request.args.get("slug", ""))
    return render_template("onboarding/_slug_check.html", check=check)


@bp.get("/sign-up/slug-suggestions")
@allow_anybody(VISITORS)
@limiter.limit("120 per minute")
def show_slug_suggestion() -> ResponseReturnValue:
    """Offer an address while the name is typed."""
    return render_slug_suggestion(SignUpForm(request.args))


@bp.get("/sign-up/confirmations/<token>")
@allow_anybody("the link is the proof")
def show_confirmation(token: str) -> ResponseReturnValue:
    """Show the button that confirms, or how far the set-up is; a mail scanner's GET confirms nothing."""
    tenant = queries.get_requested(token)
    operation = find_latest_operation(tenant.id)
    return render(
        "onboarding/public/show_confirmation.html",
        fragment="onboarding/public/_set_up.html",
        requested=tenant,
        token=token,
        operation=operation,
        steps=list_steps(operation.id) if operation else [],
        workspace_url=tenant_url(tenant.slug),
    )


@bp.post("/sign-up/confirmations/<token>")
@allow_anybody("the link is the proof")
def create_confirmation(token: str) -> ResponseReturnValue:
    """Start the set-up and show it."""
    services.confirm_request(token, actor=current_actor())
    return redirect_to(url_for(".show_confirmation", token=token))


def _form_page(form: SignUpForm, status: int = 200) -> ResponseReturnValue:
    form.offer_plans(list_plans())
    return render(FORM_PAGE, status, form=form)


def _slow_down(reset_at: int) -> Response:
    """Show the form as it was filled in, and when it can be sent again."""
    form, wait_seconds = SignUpForm(), max(reset_at - int(clock.now().timestamp()), 1)
    form.offer_plans(list_plans())
    words = f"Wait {say_wait(wait_seconds)}, then send the form again. Nothing that you wrote is lost."
    return render_refused(FORM_PAGE, form, ThrottledError(words, wait_seconds))
