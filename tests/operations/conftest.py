"""Acme, and two people who look at its operations."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import TenantRoute
from app.web.hosts import Portal
from tests.tenant_rows import make_tenant_rows


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    return make_tenant_rows("acme")


@pytest.fixture
def globex(app: Portal) -> TenantRoute:
    return make_tenant_rows("globex")
