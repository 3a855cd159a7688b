"""A browser as small as it can be: the cookies of one host, and forms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from flask import Flask

from app.instance.processes import LOOPBACK

_HIDDEN = re.compile(r'<input\b(?=[^>]*type="hidden")[^>]*>')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Visit:
    """One request that is made over and over: where, and with which headers."""

    path: str
    headers: dict[str, str]


@dataclass
class Visitor:
    """Somebody who asks one web server."""

    port: int
    host: str
    cookies: dict[str, str] = field(default_factory=dict)
    connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = HTTPConnection(LOOPBACK, self.port, timeout=60)

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Send one request and return the status and the page; cookies are kept, redirects are not followed."""
        headers = {"Host": self.host, "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, urlencode(form) if form is not None else None, headers)
        answer = self.connection.getresponse()
        page = answer.read().decode()
        for header in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        self.connection.close()  # While somebody waits for a tenant, the server ends a connection that it keeps.
        return answer.status, page

    def hidden_fields(self, path: str) -> dict[str, str]:
        """Open a page with a form and return what the form sends unseen, its CSRF token among it."""
        status, page = self.ask("GET", path)
        assert status == 200, (status, page)
        tags = [dict(_ATTRIBUTE.findall(tag)) for tag in _HIDDEN.findall(page)]
        return {tag["name"]: tag.get("value", "") for tag in tags if "name" in tag}

    def sign_in(self, email: str, password: str) -> None:
        """Sign in through the page that everybody signs in through."""
        fields = self.hidden_fields("/sign-in") | {"email": email, "password": password}
        status, page = self.ask("POST", "/sign-in", fields)
        assert status == 303, (status, page)

    def visit(self, path: str) -> Visit:
        """Return the request that opens a page as this visitor."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return Visit(path, {"Host": self.host, "Cookie": cookie})


def cookie_of(app: Flask, token: str) -> str:
    """Return the session cookie's value for a session's token, as the application's own sign-in would set it."""
    serializer = app.session_interface.get_signing_serializer(app)
    assert serializer is not None
    return serializer.dumps({"_user_id": token, "_fresh": True, "csrf_token": "0" * 40})
