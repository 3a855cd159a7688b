"""The platform's people and a registry to look at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.core.config import Settings
from app.web.hosts import Portal
from tests.tenants import seed


@pytest.fixture
def add_tenants(app: Portal, superuser_url: str, instance: Settings) -> Callable[[int], None]:
    """The function that adds any number of tenants at once."""
    database = instance.database_url.get_secret_value().rpartition("/")[2]
    url = f"{superuser_url.rsplit('/', 1)[0]}/{database}"
    return lambda count: seed.add_tenants(url, count)
