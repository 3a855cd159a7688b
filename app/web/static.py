"""Static files, once a surface, with addresses that change when a file does."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, send_from_directory

from app.web.decorators import allow_anybody
from app.web.hosts import Surface

FOLDER = Path(__file__).parents[2] / "static"
_YEAR_SECONDS = 31_536_000


def init_static(app: Flask) -> None:
    """Serve static/ on every surface and give templates `static_url()`.

    One endpoint with a rule a surface: bound to a surface, Flask's own /static is a 404. An unknown host gets the style
    of its error page, and nothing else.
    """
    for surface in (Surface.ADMIN, Surface.PUBLIC, Surface.TENANT, Surface.UNKNOWN):
        app.add_url_rule("/static/<path:name>", "static", send_static, subdomain=surface)
    app.jinja_env.globals["static_url"] = static_url


@allow_anybody("style and scripts hold no data")
def send_static(name: str) -> Response:
    """Send one file; its versioned address may be kept for a year."""
    response = send_from_directory(FOLDER, name, max_age=_YEAR_SECONDS)
    response.headers["Cache-Control"] = f"public, max-age={_YEAR_SECONDS}, immutable"
    return response


@cache
def static_url(path: str) -> str:
    """Return the address of a static file on the running surface."""
    digest = hashlib.sha256((FOLDER / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"
