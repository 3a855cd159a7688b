"""The platform's people and a registry to look at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.core.config import Settings
from app.web.hosts import Portal
from tests.factories import make_staff_user, sign_in, sign_in_as_ada, use_cheap_passwords
from tests.page import PageClient
from tests.tenants import seed

SAM = "sam@platform.example"


@pytest.fixture
def ada(app: Portal, monkeypatch: pytest.MonkeyPatch) -> PageClient:
    """Ada's browser: a platform admin, signed in."""
    use_cheap_passwords(monkeypatch)
    make_staff_user()
    return sign_in_as_ada(app)


@pytest.fixture
def sam(app: Portal, monkeypatch: pytest.MonkeyPatch) -> PageClient:
    """Sam's browser: support, signed in; may look and not touch."""
    use_cheap_passwords(monkeypatch)
    make_staff_user(SAM, role="support", name="Sam Vimes")
    return sign_in(app, "admin.localhost", SAM)


@pytest.fixture
def add_tenants(app: Portal, superuser_url: str, instance: Settings) -> Callable[[int], None]:
    """The function that adds any number of tenants at once."""
    database = instance.database_url.get_secret_value().rpartition("/")[2]
    url = f"{superuser_url.rsplit('/', 1)[0]}/{database}"
    return lambda count: seed.add_tenants(url, count)
