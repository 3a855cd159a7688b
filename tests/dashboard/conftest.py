"""What the tests of the first pages share."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import TenantRoute


@pytest.fixture
def acme(bobs_acme: TenantRoute) -> TenantRoute:
    return bobs_acme
