"""Wall 3's own check: a runtime login that could step over the walls is refused before it is used."""

from __future__ import annotations

from typing import Any

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
