"""Emptying a test process's databases between tests, over the superuser's connections, which stay open."""

from __future__ import annotations

from typing import Any

import psycopg

from tests.servers import ANNEX

EMPTY = """
do $$ declare t record; begin
    set local session_replication_role = replica;
    for t in select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname in ('control', 'tenancy', 'pool')
          and c.relname not in ('alembic_version', 'context_keys', 'home_versions', 'registry_version', 'servers',
            'tenant_status_transitions')
    loop execute format('delete from %I.%I', t.nspname, t.relname); end loop;
    -- What migrations have recorded of pools and templates stays, as these do.
    delete from tenancy.home_versions where schema_name ~ '^[tw]_[0-9a-f]{32}$';
    if to_regclass('control.home_versions') is not null then
        delete from control.home_versions where schema_name <> 'pool' or server not in ('main', 'annex');
    end if;
    for t in select tgname, tgrelid::regclass as name from pg_trigger where tgname ~ '^changed_[0-9a-f]{32}_[iud]$'
    loop execute format('drop trigger %I on %s', t.tgname, t.name); end loop;
    for t in select nspname from pg_namespace where nspname ~ '^[tw]_[0-9a-f]{32}$'
    loop execute format('drop schema %I cascade', t.nspname); end loop;
end $$
"""
FORGET = """
delete from control.servers where name <> 'main';
update control.servers set region = 'eu-central', capacity = 100000, storage_bytes = null, accepts_homes = true,
    state = 'ready', ready_schema_count = 0, ready_database_count = 0, error = null, measured_at = null,
    is_reachable = null;
delete from control.context_keys where database_name <> '';
update control.registry_version set version = version + 1
"""
DATABASES = """
select server, database_name from control.context_keys where database_name <> ''
union all select server, 'w_' || replace(id::text, '-', '') from control.ready_homes where tier = 'database'
"""

_kept: dict[str, psycopg.Connection[Any]] = {}


def empty_database(superuser_url: str, other_superuser_url: str, worker: str) -> None:
    """Delete every row and every home of its own, past policies and triggers, as only the superuser can."""
    main, annex = (f"{url.rpartition('/')[0]}/" for url in (superuser_url, other_superuser_url))
    dropped = _execute(f"{main}tenantry_{worker}", DATABASES).fetchall()
    _execute(f"{main}tenantry_{worker}", EMPTY)
    _execute(f"{main}tenantry_{worker}", FORGET)
    if f"{annex}annex_{worker}" in _kept or _exists(other_superuser_url, f"annex_{worker}"):
        _execute(f"{annex}annex_{worker}", EMPTY)
    for server, name in dropped:
        _execute(
            other_superuser_url if server == ANNEX else superuser_url, f"drop database if exists {name} with (force)"
        )


def close_connections() -> None:
    """Close what stayed open."""
    while _kept:
        _kept.popitem()[1].close()


def _exists(url: str, name: str) -> bool:
    return _execute(url, f"select from pg_database where datname = '{name}'").rowcount > 0


def _execute(url: str, statement: str) -> psycopg.Cursor[Any]:
    """Execute a statement that may be repeated: a test may have ended the server that was connected to."""
    if url in _kept:
        try:
            return _kept[url].execute(statement)
        except psycopg.OperationalError:
            if not _kept[url].closed:
                raise
    # Nothing is prepared: tests change tables.
    _kept[url] = psycopg.connect(url, autocommit=True, prepare_threshold=None)
    return _kept[url].execute(statement)
