"""The cast of the tests of jobs: two tenants, and a network on which no Redis answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from redis import Redis

from app.core.tenancy.scopes import TenantRoute
from app.web.hosts import Portal
from tests.jobs import toys
from tests.page import PageClient
from tests.tenant_rows import make_tenant_rows, owner_connection


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    return make_tenant_rows("acme")


@pytest.fixture
def globex(app: Portal) -> TenantRoute:
    return make_tenant_rows("globex")


@pytest.fixture
def redis_down(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the application at a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name in ("tenantry_redis", "tenantry_doorbell"):
        monkeypatch.setitem(app.extensions, name, Redis(port=port, retry=None, socket_connect_timeout=1))


@pytest.fixture(autouse=True)
def clean_toys() -> Iterator[None]:
    """Forget the hooks and failures of the test before."""
    toys.before_commit.clear()
    toys.failures.clear()
    yield
    toys.before_commit.clear()


@pytest.fixture
def ada(ada: PageClient) -> PageClient:
    """Ada's browser; no job has come of signing in."""
    forget_jobs()
    return ada


@pytest.fixture
def sam(sam: PageClient) -> PageClient:
    """Sam's browser; no job has come of signing in."""
    forget_jobs()
    return sam


def forget_jobs() -> None:
    """Delete the jobs that making a staff user has left, such as the mail with the sign-in link."""
    with owner_connection() as connection:
        connection.execute("delete from control.outbox")
