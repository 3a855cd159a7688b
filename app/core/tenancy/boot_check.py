"""What is refused before it is used: a login that could step over the walls, a pooler that tears transactions apart."""

from __future__ import annotations

from typing import Any

import psycopg

from app.core.errors import ConfigError

_POWERS = """
select r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication,
       exists (select from pg_catalog.pg_shdepend d
               where d.refclassid = 'pg_catalog.pg_authid'::regclass and d.refobjid = r.oid and d.deptype = 'o'
               -- Anybody may make a large object; one that an injection left must not keep the product from starting.
               and d.classid <> 'pg_catalog.pg_largeobject'::regclass),
       exists (select from pg_catalog.pg_auth_members m where m.member = r.oid),
       pg_catalog.current_setting('track_activities')
from pg_catalog.pg_roles r where r.rolname = session_user
"""
_NAMES = ("superuser", "BYPASSRLS", "CREATEROLE", "CREATEDB", "REPLICATION", "owner of something", "member of a role")


def refuse_powerful_login(dbapi_connection: Any, _record: Any = None) -> None:
    """Check the login of a fresh runtime connection.

    Errors: ConfigError that names each power it must not have.
    """
    row = dbapi_connection.execute(_POWERS).fetchone()
    found = [name for name, has in zip(_NAMES, row, strict=False) if has]
    if found:
        raise ConfigError(f"A runtime login is {', '.join(found)}; it could step over row-level security.")


_LEFT_BEHIND = "select coalesce(pg_catalog.current_setting('tenantry.context', true), '')"
_MARK = "boot check"
_SET = "select pg_catalog.pg_backend_pid() from pg_catalog.set_config('tenantry.context', %s, true)"
_LOOK = "select pg_catalog.pg_backend_pid(), coalesce(pg_catalog.current_setting('tenantry.context', true), '')"
_POOLER = "Put the pooler into transaction mode, or connect without it."


def refuse_unsafe_path(dbapi_connection: Any, _record: Any = None) -> None:
    """Check that a fresh runtime connection keeps a transaction together and shows nobody else's session.

    Errors: ConfigError for a pooler in statement mode, and for a context that was set outside of a transaction, so
    that whoever gets the connection next would work as that tenant; psycopg.Error when the database goes away.
    """
    _refuse_leftover(dbapi_connection)
    try:
        dbapi_connection.execute("BEGIN")
        (first,) = dbapi_connection.execute(_SET, (_MARK,)).fetchone()
        found = dbapi_connection.execute(_LOOK).fetchone()
        dbapi_connection.execute("ROLLBACK")
    except psycopg.Error as error:
        if "statement pooling" not in str(error):
            raise
        raise ConfigError(f"A pooler refuses transactions. {_POOLER}") from None
    if found != (first, _MARK):
        raise ConfigError(f"A pooler spreads one transaction over several connections. {_POOLER}")
    _refuse_leftover(dbapi_connection)


def _refuse_leftover(dbapi_connection: Any) -> None:
    if dbapi_connection.execute(_LEFT_BEHIND).fetchone() != ("",):
        raise ConfigError(
            "A tenant's context is set on a connection outside of every transaction; whoever gets it next would work "
            "as that tenant. End the server's sessions, and find who sets it for the session."
        )
