"""An index in a pool is built without keeping writers waiting, outside of transactions, and anew after a kill."""

from __future__ import annotations

import threading

import psycopg

from app.core.config import Settings
from app.core.database.migrate import migrate
from app.core.database.owner import connect_as_owner, owner_connection
from app.core.tenancy.scopes import MAIN_DATABASE
from app.homes.models import RunState
from app.instance.processes import wait_until
from tests.homes.fleets import make_homes
from tests.homes.fleets import migrate as run_fleet
from tests.homes.releases import Release

ADD_INDEX = 'add_index(op, "ix_settings_updated", "settings", "tenant_id, updated_at")'
DROP_INDEX = 'drop_index(op, "ix_settings_updated")'
INDEX = """
select i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
where c.relname = 'ix_settings_updated' and c.relnamespace = to_regnamespace(%s)
"""
WAITING = "select pid from pg_stat_activity where query ilike 'create index concurrently%' and state = 'active'"


def find_index(schema: str) -> bool | None:
    """Tell whether the index of a schema is valid; None where there is none."""
    with owner_connection() as connection:
        row = connection.execute(INDEX, (schema,)).fetchone()
    return row[0] if row else None


def test_a_home_of_its_own_and_every_pool_have_it(release: Release) -> None:
    (acme,) = make_homes(1)
    release.add(ADD_INDEX, DROP_INDEX)
    assert run_fleet().state == RunState.DONE
    assert [find_index(schema) for schema in (acme.placement.schema, "pool", "home_template")] == [True, True, True]


def test_writers_go_on_while_it_is_built_and_a_killed_build_is_begun_anew(
    release: Release, instance: Settings, superuser_url: str
) -> None:
    release.add(ADD_INDEX, DROP_INDEX)
    with (
        connect_as_owner(instance, MAIN_DATABASE) as writer,
        psycopg.connect(superuser_url, autocommit=True) as watcher,
    ):
        with writer.transaction():
            writer.execute("lock table pool.settings in row exclusive mode")  # As every writer does.
            failed: list[BaseException] = []
            building = threading.Thread(target=lambda: keep_error(failed, instance))
            building.start()
            assert wait_until(lambda: watcher.execute(WAITING).fetchone() is not None, 30)
            with connect_as_owner(instance, MAIN_DATABASE) as another, another.transaction():
                another.execute("set local lock_timeout = '2s'")
                another.execute("lock table pool.settings in row exclusive mode")
            watcher.execute("select pg_terminate_backend(%s)", watcher.execute(WAITING).fetchone())
            building.join()
        assert (len(failed), find_index("pool")) == (1, False)
    migrate(instance)
    assert find_index("pool") is True


def keep_error(failed: list[BaseException], instance: Settings) -> None:
    """Migrate, and keep what that raised."""
    try:
        migrate(instance)
    except psycopg.Error as error:
        failed.append(error)
