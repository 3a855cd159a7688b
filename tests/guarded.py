"""Requests that no page would make: by routes instead of links, with and without a token, with somebody's cookie."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from app.core.permissions import Permission
from app.web.decorators import find_access
from tests.page import PageClient

NOBODY = UUID("01890000-0000-7000-8000-000000000000")


def list_requests(
    app: Flask, blueprint: str, *, permission: Permission | None = None, about: UUID = NOBODY
) -> Iterator[tuple[str, str]]:
    """Yield method and path of a blueprint's routes, of those with a permission if one is named; ids are filled in."""
    for rule in app.url_map.iter_rules():
        access = find_access(app.view_functions[rule.endpoint])
        if not rule.endpoint.startswith(f"{blueprint}.") or (permission and access.permission is not permission):
            continue
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<uuid:{name}>", str(about))
        yield from ((method, path) for method in sorted(rule.methods - {"HEAD", "OPTIONS"}))


def send(browser: PageClient, method: str, path: str, *, has_token: bool = True, **data: str) -> TestResponse:
    """Send a form that no page shows, with the token of the page where the browser is."""
    tokens = [field.get("value") for field in browser.select("[name=csrf_token]")] if has_token else []
    fields = {**data, "csrf_token": tokens[0]} if tokens else data
    # Flask would use the test's own application context, and with it one `g` for all requests.
    with browser.client.application.app_context():
        return browser.client.open(
            path, method=method, base_url=f"http://{browser.host}", data=fields if method == "POST" else None
        )


def steal_session(app: Flask, victim: PageClient, host: str) -> PageClient:
    """Return a browser that shows somebody's session cookie to another host."""
    name = app.config["SESSION_COOKIE_NAME"]
    thief = PageClient(app.test_client(), host)
    thief.client.set_cookie(name, victim.client.get_cookie(name, domain=victim.host).value, domain=host)
    return thief
