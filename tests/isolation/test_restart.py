"""PostgreSQL restarted under a running application: 503 with Retry-After meanwhile, then all is well by itself."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import text

from app import create_app
from app.core.config import Settings
from app.core.database.session import db, engines, registry
from app.core.errors import UnavailableError
from app.core.tenancy.scopes import Scope, TenantRoute, platform_scope, tenant_scope
from app.instance.postgres import EmbeddedPostgres, start_postgres
from app.instance.processes import wait_until
from app.web.hosts import Portal
from tests.servers import prepare_instance
from tests.tenant_rows import make_tenant_rows


class Server:
    """A PostgreSQL of this test's own, which comes back on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: EmbeddedPostgres = start_postgres(folder, fast=True)

    def stop(self) -> None:
        self.running.stop()

    def start(self) -> None:
        self.running = start_postgres(self.folder, port=self.running.port, fast=True)


@pytest.fixture
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="tenantry-restart-"))
    folder.chmod(0o755)
    made = Server(folder / "postgres")
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def portal(server: Server, redis_url: str, worker_id: str) -> Iterator[Portal]:
    settings: Settings = prepare_instance(server.running.superuser_url, redis_url, worker_id)
    made = create_app(settings, polls=True)
    with made.app_context():
        yield made
        engines().dispose()
        registry().close()


def test_requests_and_scopes_survive_a_restart(server: Server, portal: Portal) -> None:
    route = make_tenant_rows("acme")
    for _ in range(2):
        assert wait_until(lambda: ask(portal) == 404, 10)
        # Each login's pool learns of the restart by one error of its own.
        assert wait_until(lambda: all(works(scope) for scope in scopes(route)), 10)
        server.stop()
        assert wait_until(lambda: ask(portal) == 503, 10)
        assert not any(works(scope) for scope in scopes(route))
        server.start()


def ask(portal: Portal) -> int:
    """Ask Acme's portal for a page that does not exist; return the status."""
    response = portal.test_client().get("/no-such-page", headers={"Host": "acme.localhost"})
    assert response.status_code != 503 or int(response.headers["Retry-After"]) > 0
    return response.status_code


def scopes(route: TenantRoute) -> list[AbstractContextManager[Scope]]:
    """Return a scope of each runtime login, not yet entered."""
    return [tenant_scope(route, reason="work"), platform_scope("work")]


def works(scope: AbstractContextManager[Scope]) -> bool:
    """Tell whether the database answers in a scope; every other error than ours is a failure."""
    try:
        with scope:
            db.session.execute(text("select 1"))
    except UnavailableError:
        return False
    return True
