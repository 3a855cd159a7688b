"""The gallery: a tiny real app that shows what app.web makes."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.page import PageClient
from tests.web.gallery import make_app

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture(scope="session")
def gallery() -> Flask:
    return make_app()


@pytest.fixture
def client(gallery: Flask) -> FlaskClient:
    return gallery.test_client()


@pytest.fixture
def visitor(client: FlaskClient) -> PageClient:
    return PageClient(client)
