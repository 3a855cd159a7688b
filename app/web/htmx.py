"""The only reader and writer of HX-* headers: whole pages or fragments, redirects, toasts and alerts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from flask import Response, get_flashed_messages, make_response, render_template, request

ALERTS = "#alerts"


def is_htmx_request() -> bool:
    """Tell whether htmx sent this request, and not the browser itself."""
    return request.headers.get("HX-Request") == "true"


def is_fragment_request() -> bool:
    """Tell whether htmx wants a part of a page; a swap of the whole body and a history restore want the page."""
    return (
        is_htmx_request()
        and request.headers.get("HX-Request-Type") == "partial"
        and request.headers.get("HX-History-Restore-Request") != "true"
    )


def render(page: str, /, status: int = 200, fragment: str | None = None, **context: object) -> Response:
    """Render a page, or only its fragment when htmx asked for a part and a fragment is named.

    Flashed messages travel with a fragment as toasts; a page shows them itself.
    """
    if fragment is None or not is_fragment_request():
        return _vary(make_response(render_template(page, **context), status))
    response = _vary(make_response(render_template(fragment, **context), status))
    flashed = cast("list[tuple[str, str]]", get_flashed_messages(with_categories=True))
    for tone, message in flashed:
        toast(response, message, tone)
    return response


def redirect_to(url: str) -> Response:
    """Send the browser to a page with a GET, whoever asked: 303 for the browser, HX-Redirect for htmx.

    Source: RFC 9110, section 15.4.4.
    """
    if is_htmx_request():
        # fetch would follow a 303 on its own and htmx would swap a whole page into a fragment's place.
        return _vary(Response(status=204, headers={"HX-Redirect": url}))
    return _vary(Response(status=303, headers={"Location": url}))


def trigger(response: Response, event: str, detail: Mapping[str, object] | None = None) -> Response:
    """Let htmx fire an event on the body once the answer is in place; events of one answer add up."""
    events = json.loads(response.headers.get("HX-Trigger", "{}"))
    # The element that asked may be gone after the swap, and an event on it would never reach the listener.
    events[event] = {**(detail or {}), "target": "body"}
    response.headers["HX-Trigger"] = json.dumps(events)
    return response


def toast(response: Response, message: str, tone: str = "success") -> Response:
    """Show a short message in the corner once the answer is in place; messages of one answer add up."""
    events = json.loads(response.headers.get("HX-Trigger", "{}"))
    messages = [*events.get("toast", {}).get("messages", ()), {"message": message, "tone": tone}]
    return trigger(response, "toast", {"messages": messages})


def push_url(response: Response, url: str) -> Response:
    """Let htmx put this address into the browser's history."""
    response.headers["HX-Push-Url"] = url
    return response


def show_in_alerts(response: Response) -> Response:
    """Let htmx put this answer into the page's alerts, so that what it would have replaced stays readable."""
    response.headers["HX-Retarget"] = ALERTS
    response.headers["HX-Reswap"] = "innerHTML show:top"
    return response


def _vary(response: Response) -> Response:
    response.vary.update(["HX-Request", "HX-Request-Type"])
    return response
