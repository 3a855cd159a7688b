"""The command that brings a database to this release, as often as it is called."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.errors import InternalError_

from app.core.database import migrate as room
from app.core.database.migrate import migrate
from app.core.tenancy.scopes import platform_scope
from app.instance.processes import wait_until
from app.plans.queries import list_plans

WAITING = "select 1 from pg_stat_activity where usename = 'tenantry_owner' and wait_event_type = 'Lock'"


def test_it_says_that_the_schema_is_new_and_seeds_the_plans(app):
    for _ in range(2):
        result = app.test_cli_runner().invoke(args=["migrate"])
        assert (result.exit_code, result.output) == (0, "The database is at the newest schema.\n"), result.stderr
    with platform_scope("test"):
        assert [plan.key for plan in list_plans()] == ["starter", "team", "enterprise"]


@pytest.fixture
def busy_role(instance, superuser_url):
    """A neighbour's migration that has changed a role of the cluster and not committed yet."""
    with psycopg.connect(superuser_url) as neighbour:
        neighbour.execute("alter role tenantry_platform connection limit -1")
        yield neighbour


def migrate_beside(neighbour, instance, superuser_url):
    """Migrate; let the neighbour commit as soon as the migration waits for it."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(migrate, instance)
        with psycopg.connect(superuser_url, autocommit=True) as watcher:
            assert wait_until(lambda: watcher.execute(WAITING).fetchone() is not None, 30)
        neighbour.commit()
        running.result()


def test_a_neighbour_that_changes_the_same_role_is_waited_for(busy_role, instance, superuser_url):
    migrate_beside(busy_role, instance, superuser_url)


def test_a_role_that_never_comes_free_is_an_error_in_the_end(busy_role, instance, superuser_url, monkeypatch):
    monkeypatch.setattr(room, "ROLE_TRIES", 1)
    with pytest.raises(InternalError_, match="concurrently updated"):
        migrate_beside(busy_role, instance, superuser_url)
