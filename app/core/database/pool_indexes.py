"""Indexes of a pool, built without keeping its writers waiting: one at a time, each found done or begun anew."""

from __future__ import annotations

from typing import Any

import psycopg
import structlog
from psycopg import sql

from app.core.database.versions import POOL_SCHEMA, TEMPLATE_SCHEMA

# Those of constraints come with them.
_INDEXES = """
select c.relname, replace(pg_get_indexdef(i.indexrelid), ' ON ' || n.nspname || '.', ' ON ' || %s || '.'),
    i.indisvalid
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and not exists (select from pg_constraint k where k.conindid = i.indexrelid) order by 1
"""

log = structlog.get_logger()


def build_pool_indexes(pool: psycopg.Connection[Any], control: psycopg.Connection[Any]) -> None:
    """Build what the pool lacks of the empty home's indexes; one that a kill has left unfinished is begun anew.

    The empty home lies in the main database, whose connection is given beside the pool's; it is of the same version.
    """
    wanted = control.execute(_INDEXES, (POOL_SCHEMA, TEMPLATE_SCHEMA)).fetchall()
    found = {name: is_valid for name, _definition, is_valid in pool.execute(_INDEXES, (POOL_SCHEMA, POOL_SCHEMA))}
    pool.rollback()
    pool.autocommit = True
    for name, definition, _is_valid in wanted:
        if found.get(name):
            continue
        log.info("pool_index_built", index=name)
        if name in found:
            unfinished = sql.Identifier(POOL_SCHEMA, name)
            pool.execute(sql.SQL("drop index concurrently {}").format(unfinished))
        pool.execute(definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1))
    pool.autocommit = False
