"""The address that is offered while a name is typed, the same on both forms."""

from __future__ import annotations

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from app.onboarding import queries
from app.onboarding.forms import TenantForm


def render_slug_suggestion(form: TenantForm) -> ResponseReturnValue:
    """Render the field with an address made from the name; one that somebody wrote themselves stays untouched."""
    if form.slug.data not in (None, request.args.get("suggested")):
        return Response(status=204)
    form.slug.data = queries.suggest_address(form.name.data or "")
    check = queries.check_availability(form.slug.data)
    return render_template("onboarding/_slug_field.html", form=form, suggested=form.slug.data, check=check)
