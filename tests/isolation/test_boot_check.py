"""A process refuses a way to the database on which transactions are torn apart or somebody's context is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app import create_app
from app.core.config import Settings
from app.core.database.session import db, engines, registry
from app.core.errors import ConfigError
from app.core.tenancy.boot_check import refuse_unsafe_path
from app.core.tenancy.scopes import platform_scope
from app.web.hosts import Portal
from tests.isolation import pgbouncer
from tests.isolation.pgbouncer import needs_pgbouncer, run_pooler

TENANT_URL = "database_tenant_url"


@contextmanager
def portal_behind(instance: Settings, mode: str) -> Iterator[tuple[Portal, str]]:
    """A process behind a pooler in a mode, and the URL of its tenant login."""
    server, _, database = instance.database_tenant_url.get_secret_value().rpartition("@")[2].partition("/")
    with run_pooler(server, database, mode) as address:
        urls = {login: pgbouncer.login_url(address, login, database) for login in ("tenant", "platform")}
        changes = {f"database_{login}_url": SecretStr(url) for login, url in urls.items()}
        portal = create_app(instance.model_copy(update=changes), polls=False)
        try:
            yield portal, urls["tenant"]
        finally:
            with portal.app_context():
                engines().dispose()
                registry().close()


def ask(portal: Portal) -> Any:
    """Ask the readiness probe."""
    response = portal.test_client().get("/readyz")
    return response.status_code, response.get_json()


@needs_pgbouncer
def test_statement_mode_is_refused(app: Portal, instance: Settings) -> None:
    with portal_behind(instance, "statement") as (portal, _url):
        assert ask(portal) == (503, {"status": "unavailable", "failed": ["logins"]})
        refused = pytest.raises(ConfigError, match="A pooler refuses transactions")
        with portal.app_context(), refused, platform_scope("test"):
            db.session.execute(text("select 1"))


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_modes_that_keep_a_transaction_together_pass(app: Portal, instance: Settings, mode: str) -> None:
    with portal_behind(instance, mode) as (portal, _url):
        assert ask(portal)[0] == 200
        with portal.app_context(), platform_scope("test"):
            assert db.session.scalar(text("select 1")) == 1


@needs_pgbouncer
def test_a_context_that_was_left_for_the_session_is_refused(app: Portal, instance: Settings) -> None:
    with portal_behind(instance, "transaction") as (portal, url):
        with pgbouncer.client(url) as careless:
            careless.execute("select set_config('tenantry.context', 'somebody', false)")
        assert ask(portal) == (503, {"status": "unavailable", "failed": ["logins"]})
        with pgbouncer.client(url) as careless:
            careless.execute("reset tenantry.context")
        assert ask(portal)[0] == 200


class Torn:
    """Two server connections that take turns, one statement each, as a careless pooler would let them."""

    def __init__(self, url: str) -> None:
        self.turn, self.ends = 0, [psycopg.connect(url, autocommit=True) for _ in range(2)]

    def execute(self, *statement: Any) -> Any:
        self.turn += 1
        return self.ends[self.turn % 2].execute(*statement)


def test_a_transaction_on_two_connections_is_refused(app: Portal, instance: Settings) -> None:
    torn = Torn(instance.database_tenant_url.get_secret_value())
    with pytest.raises(ConfigError, match="spreads one transaction over several connections"):
        refuse_unsafe_path(torn)
    for end in torn.ends:
        end.close()


def test_a_database_that_goes_away_meanwhile_is_no_matter_of_poolers(app: Portal, instance: Settings) -> None:
    connection = psycopg.connect(instance.database_tenant_url.get_secret_value(), autocommit=True)
    connection.close()
    with pytest.raises(psycopg.OperationalError):
        refuse_unsafe_path(connection)
