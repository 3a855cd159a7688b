"""How a form comes back that a service refused: with the words on it, and the wait after too many tries."""

from __future__ import annotations

from typing import Any

from flask import Response

from app.core.errors import InputError, ThrottledError
from app.web.forms import Form, add_errors
from app.web.htmx import render

REFUSALS = (InputError, ThrottledError)


def render_refused(page: str, form: Form, error: InputError | ThrottledError, **context: Any) -> Response:
    """Show a page with its form and the refusal on it: 422 for what was entered, 429 for how often.

    Source: RFC 6585, section 4.
    """
    if isinstance(error, InputError):
        add_errors(form, error)
        return render(page, 422, form=form, **context)
    add_errors(form, InputError(f"Too many tries. {error}"))
    response = render(page, 429, form=form, **context)
    response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response
