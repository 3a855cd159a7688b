"""From the running request to what a session's row keeps of it, and from a session's token to the cookie."""

from __future__ import annotations

from flask import Response, abort, request

from app.credentials.sessions import Visit
from app.sign_in.next_page import choose_next_page
from app.web.hosts import current_place
from app.web.htmx import redirect_to
from app.web.identity import Viewer, sign_in_viewer


def current_visit() -> Visit:
    """Return from where this request comes."""
    return Visit(current_place().host, request.remote_addr or "unknown", request.user_agent.string)


def enter(viewer: Viewer | None, next_page: str | None = None) -> Response:
    """Put the session that has just been opened into the cookie and go on to the wanted page.

    Errors: 401 when the session was ended in the same moment.
    """
    if viewer is None:
        abort(401)
    sign_in_viewer(viewer)
    return redirect_to(choose_next_page(next_page))
