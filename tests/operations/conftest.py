"""Acme, and two people who look at its operations."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import TenantRoute
from app.web.hosts import Portal
from tests.factories import make_staff_user, sign_in, sign_in_as_ada, use_cheap_passwords
from tests.page import PageClient
from tests.tenant_rows import make_tenant_rows


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    return make_tenant_rows("acme")


@pytest.fixture
def globex(app: Portal) -> TenantRoute:
    return make_tenant_rows("globex")


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
    make_staff_user("sam@platform.example", role="support", name="Sam Vimes")
    return sign_in(app, "admin.localhost", "sam@platform.example")
