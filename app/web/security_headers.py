"""The headers that every answer carries, and the nonce that lets this page's own scripts and htmx attributes run."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from flask import Flask, Response, g
from markupsafe import Markup, escape

HSTS = "max-age=31536000"


def init_security_headers(app: Flask, *, is_https: bool = False) -> None:
    """Send the security headers with every answer and give templates `csp_nonce()` and `hx()`."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        return _add_headers(response, is_https=is_https)

    app.jinja_env.globals.update(csp_nonce=csp_nonce, hx=hx)


def csp_nonce() -> str:
    """Return this request's nonce, made at its first use.

    Source: Content Security Policy Level 3, section 8.2: at least 128 random bits.
    """
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    return str(g.csp_nonce)


def hx(**attributes: object) -> Markup:
    """Render htmx attributes with the nonce that htmx's CSP extension asks of every element that has one.

    `hx()` is the bare nonce; `hx(post=url, target="#list")` is ` hx-post="…" hx-target="#list" hx-nonce="…"`.
    An underscore in a name becomes a dash, a mapping becomes JSON, and None leaves the attribute out.

    Errors: ValueError for what the policy forbids: `hx-on` and values that are JavaScript.
    """
    parts = [_attribute(name, value) for name, value in attributes.items() if value is not None]
    return Markup("").join([*parts, _attribute("nonce", csp_nonce())])


def _attribute(name: str, value: object) -> Markup:
    text = json.dumps(value) if isinstance(value, Mapping) else str(value)
    if name.startswith("on") or text.lower().lstrip().startswith(("js:", "javascript:")):
        raise ValueError(f"hx-{name} would need a script inside an attribute, which the policy forbids")
    return Markup(' hx-{}="{}"').format(name.replace("_", "-"), escape(text))


def _add_headers(response: Response, *, is_https: bool) -> Response:
    response.headers["Content-Security-Policy"] = _policy(csp_nonce())
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Paths of one surface tell nothing to another, and links in mails carry tokens.
    response.headers["Referrer-Policy"] = "same-origin"
    # Static files arrive with a Cache-Control of their own; whatever has none was made for this viewer alone.
    response.headers.setdefault("Cache-Control", "no-store")
    if is_https:
        # No includeSubDomains: below a customer's own domain there are hosts that are not ours.
        response.headers["Strict-Transport-Security"] = HSTS
    return response


def _policy(nonce: str) -> str:
    directives = (
        "default-src 'self'",
        f"script-src 'self' 'nonce-{nonce}'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return "; ".join(directives)
