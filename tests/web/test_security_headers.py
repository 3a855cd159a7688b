"""The headers of every answer, and the nonce."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.security_headers import csp_nonce, hx
from tests.web.gallery import make_app


def _nonce(client: FlaskClient, path: str = "/") -> str:
    found = re.search(r"'nonce-([\w-]+)'", client.get(path).headers["Content-Security-Policy"])
    assert found
    return found[1]


def test_every_request_has_a_nonce_of_its_own(client: FlaskClient) -> None:
    nonces = {_nonce(client) for _ in range(5)}
    assert len(nonces) == 5
    assert all(len(nonce) >= 22 for nonce in nonces)


def test_the_policy_allows_nothing_inline_and_nobody_else(client: FlaskClient) -> None:
    policy = re.sub(r"nonce-[\w-]+", "nonce-…", client.get("/").headers["Content-Security-Policy"])
    assert policy == (
        "default-src 'self'; script-src 'self' 'nonce-…'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/nowhere", "/raise/bug", "/static/js/theme.js"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path, buffered=True).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Content-Security-Policy" in headers


def test_pages_are_not_stored_and_files_are(client: FlaskClient) -> None:
    assert client.get("/").headers["Cache-Control"] == "no-store"
    assert client.get("/raise/bug").headers["Cache-Control"] == "no-store"
    assert "no-store" not in client.get("/static/js/theme.js", buffered=True).headers["Cache-Control"]


def test_https_asks_browsers_to_stay_there(client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/").headers
    secure = make_app(is_https=True).test_client().get("/")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_hx_renders_attributes_with_the_nonce(gallery: Flask) -> None:
    with gallery.test_request_context("/"):
        attributes = hx(post="/a?b=1&c=2", push_url="true", vals={"a": 1}, target=None)
        nonce = csp_nonce()
    expected = f' hx-post="/a?b=1&amp;c=2" hx-push-url="true" hx-vals="{{&#34;a&#34;: 1}}" hx-nonce="{nonce}"'
    assert str(attributes) == expected


@pytest.mark.parametrize("attributes", [{"on:click": "x()"}, {"vals": "js:{a: 1}"}, {"get": " JavaScript:x()"}])
def test_hx_refuses_scripts(gallery: Flask, attributes: dict[str, str]) -> None:
    with gallery.test_request_context("/"), pytest.raises(ValueError, match="policy forbids"):
        hx(**attributes)
