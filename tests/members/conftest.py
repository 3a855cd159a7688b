"""What every test here stands on."""

from __future__ import annotations

import shutil

import pytest

from app.core.config import Settings
from app.core.tenancy.scopes import TenantRoute
from app.web.hosts import Portal
from tests.factories import make_tenant, use_cheap_passwords


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    use_cheap_passwords(monkeypatch)


@pytest.fixture(autouse=True)
def _empty_mail_folder(instance: Settings) -> None:
    shutil.rmtree(instance.mail_dir, ignore_errors=True)


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    """Acme, with a home and its roles, and nobody in it."""
    return make_tenant("acme")


@pytest.fixture
def globex(app: Portal) -> TenantRoute:
    """Globex, with a home and its roles, and nobody in it."""
    return make_tenant("globex")
