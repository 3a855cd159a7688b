"""The one place where an error becomes an answer: a page, an alert for htmx, or problem+json under /api."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Flask, Response, current_app, g, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.core.errors import (
    ConflictError,
    DomainError,
    ForbiddenError,
    InputError,
    NotFoundError,
    StateError,
    ThrottledError,
    UnavailableError,
)
from app.web.hosts import Surface, current_place
from app.web.htmx import is_fragment_request, show_in_alerts
from app.web.identity import find_viewer
from app.web.links import public_url

STATUS_OF: dict[type[DomainError], int] = {
    NotFoundError: 404,
    ForbiddenError: 403,
    StateError: 409,
    ConflictError: 409,
    InputError: 422,
    ThrottledError: 429,
    UnavailableError: 503,
}

# The portals, whose navigation stays around an error of somebody who is signed in.
LAYOUTS = {Surface.ADMIN: "layouts/admin.html", Surface.TENANT: "layouts/tenant.html"}

# Status: title, what the person who sees it can do.
WORDS: dict[int, tuple[str, str]] = {
    400: ("Request not understood", "Something in the request is missing or malformed. Go back and try again."),
    401: ("Sign-in needed", "Sign in and open the page again."),
    403: ("No permission", "Your role does not allow this. Whoever manages roles here can change that."),
    404: ("Page not found", "There is nothing at this address, or it is not yours to see."),
    405: ("Not possible here", "This address does not take that kind of request. Go back and use the page's buttons."),
    409: ("Not possible now", "Something changed in the meantime. Load the page again to see where things stand."),
    413: ("Too large", "What was sent is larger than this page accepts."),
    422: ("Check what you entered", "A value is not acceptable. Go back and correct it."),
    429: ("Too many tries", "Wait a moment, then try again."),
    500: ("Something broke", "This is our fault and it has been recorded. If it goes on, quote the request id below."),
    503: ("Not available right now", "Nothing was changed. Try again in a moment."),
}
CSRF_WORDS = (
    "This form has expired",
    "The page was open for too long, or you signed in or out since. Nothing was changed. Go back, reload, send again.",
)


@dataclass(frozen=True)
class Problem:
    """An error as it is told: to people as a page or an alert, to programs as problem+json.

    Source: RFC 9457.
    """

    status: int
    title: str
    detail: str
    field_name: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def request_id(self) -> str | None:
        """Return the id under which this request is in the logs."""
        return getattr(g, "request_id", None)

    @property
    def is_ours(self) -> bool:
        """Tell whether the fault lies here and not with the request."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def may_pass(self) -> bool:
        """Tell whether the same request may succeed a moment later."""
        return self.is_ours or self.status == HTTPStatus.TOO_MANY_REQUESTS


def init_error_pages(app: Flask) -> None:
    """Answer every error of the domain, of HTTP and of the program; unhandled ones arrive here as a 500."""
    app.register_error_handler(DomainError, _show_domain_error)
    app.register_error_handler(CSRFError, _show_csrf_error)
    app.register_error_handler(HTTPException, _show_http_error)


def show_problem(problem: Problem, *, start_url: str | None = None) -> Response:
    """Answer with a problem in the form that the asker reads; `start_url` is where to go from there."""
    layout = _find_layout(problem)
    if is_api_request():
        response = _problem_json(problem)
    elif is_fragment_request():
        response = show_in_alerts(_html("errors/_alert.html", problem))
    elif layout is not None:
        page = render_template("errors/portal_page.html", layout=layout, problem=problem, start_url="/")
        response = Response(page, problem.status, mimetype="text/html")
    else:
        response = _html("errors/page.html", problem, start_url=start_url or _start_url())
    response.headers.extend(problem.headers)
    return response


def show_suspended(
    tenant_name: str, reason: str | None, help_contact: str, status: int = 403, details_url: str | None = None
) -> Response:
    """Answer for a suspended tenant: who can help; why it rests, if the asker may know; where to read more."""
    problem = Problem(status, f"{tenant_name} is suspended", reason or "Who works here is told why after signing in.")
    if is_api_request():
        return _problem_json(problem)
    if is_fragment_request():
        return show_in_alerts(_html("errors/_alert.html", problem))
    page = {"tenant_name": tenant_name, "reason": reason, "help_contact": help_contact, "details_url": details_url}
    return _html("errors/suspended.html", problem, **page)


def is_api_request() -> bool:
    """Tell whether a program asks: paths under /api answer in JSON, errors included."""
    return request.path == "/api" or request.path.startswith("/api/")


def _show_domain_error(error: DomainError) -> Response:
    status = next((STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF), 409)
    title, words = WORDS[status]
    wait = error.retry_after_seconds if isinstance(error, ThrottledError | UnavailableError) else None
    name = error.field if isinstance(error, InputError) else None
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return show_problem(Problem(status, title, str(error) or words, field_name=name, headers=headers))


def _show_csrf_error(_error: CSRFError) -> Response:
    title, detail = CSRF_WORDS
    return show_problem(Problem(400, title, detail))


def _show_http_error(error: HTTPException) -> Response | HTTPException:
    if error.response is not None:
        # Somebody made the whole answer already.
        return error
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    title, words = WORDS.get(status, (error.name, "Go back and try again."))
    # Allow, WWW-Authenticate and Retry-After belong to the error; the content is ours.
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return show_problem(Problem(status, title, _own_description(error) or words, headers=headers))


def _own_description(error: HTTPException) -> str | None:
    # Werkzeug's own sentences are for developers; one that a view gave to abort() is for the reader.
    return error.description if error.description != type(error).description else None


def _html(template: str, problem: Problem, **context: object) -> Response:
    # Past the context processors: they ask the database who is looking, and it may be what broke.
    page = current_app.jinja_env.get_template(template).render(problem=problem, **context)
    return Response(page, problem.status, mimetype="text/html")


def _find_layout(problem: Problem) -> str | None:
    """Return the layout of the portal that the viewer works in; None for a visitor, or where the fault is ours."""
    # Before the identity is known nobody's navigation can be drawn, and after a fault of ours nothing may be asked.
    if problem.is_ours or "identity" not in g or find_viewer() is None:
        return None
    return LAYOUTS.get(current_place().surface)


def _start_url() -> str:
    place = request.environ.get("tenantry.place")
    # An unknown host has no start page of its own.
    return public_url() if place is not None and place.surface is Surface.UNKNOWN else "/"


def _problem_json(problem: Problem) -> Response:
    document = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path,
        "request_id": problem.request_id,
        "errors": [{"field": problem.field_name, "message": problem.detail}] if problem.field_name else None,
    }
    known = {name: value for name, value in document.items() if value is not None}
    return Response(json.dumps(known), problem.status, mimetype="application/problem+json")
