"""Requests that come by ways which no feature has yet: a program without a session, a view that asks for nobody."""

from __future__ import annotations

import io
import json

import pytest

from app import create_app
from app.core.database.session import engines, registry
from app.core.logging import init_logging
from app.core.permissions import Permission
from app.web.decorators import allow_anybody, require
from app.web.hosts import Surface
from app.web.identity import current_viewer
from tests.factories import ADMIN_HOST


def ask_who():
    return current_viewer().name


def break_down():
    raise RuntimeError("toy broke")


VIEWS = {
    "/api/toys": require(Permission.TENANT_READ)(lambda: "toys"),
    "/who": allow_anybody("toy")(ask_who),
    "/broken": allow_anybody("toy")(break_down),
}


@pytest.fixture
def client(app, instance):
    """A client of an application with views of the test's own."""
    made = create_app(instance, polls=False)
    for path, view in VIEWS.items():
        made.add_url_rule(path, endpoint=path[1:].replace("/", "_"), subdomain=Surface.ADMIN, view_func=view)
    with made.app_context():
        yield made.test_client()
        engines().dispose()
        registry().close()


def ask(client, path):
    return client.get(path, base_url=f"http://{ADMIN_HOST}")


def test_a_program_without_a_session_is_told_so_and_not_sent_to_a_page(client):
    response = ask(client, "/api/toys")
    assert (response.status_code, response.mimetype) == (401, "application/problem+json")


def test_a_view_that_needs_somebody_and_lets_everybody_in_answers_401(client):
    assert ask(client, "/who").status_code == 401


def test_an_unhandled_error_is_in_the_log_with_its_place(client, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    init_logging("INFO")
    response = ask(client, "/broken")
    init_logging("WARNING")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    [failed] = [line for line in lines if line["event"] == "request_failed"]
    assert response.status_code == 500
    assert failed["request_id"] == response.headers["X-Request-Id"]
    assert "break_down" in json.dumps(failed)
