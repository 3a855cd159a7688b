"""A query with a hole in it, as a careless developer would write one: it exists in the tests alone."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.database.session import db
from app.core.errors import TenantryError
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from tests.isolation.grounds import home_of

PID = text("select pg_backend_pid()")


def search_settings(route: TenantRoute, word: str) -> str:
    """Search a tenant's settings through the product's session; the word becomes part of the statement.

    Returns everything that the database let out: the rows of every statement, or the text of the error.
    """
    statement = f"select value::text from {home_of(route).schema}.settings where key = '{word}'"
    with tenant_scope(route, reason="search"):
        try:
            cursor = db.session.connection().exec_driver_sql(statement.replace("%", "%%")).cursor
            found = []
            while True:
                found += cursor.fetchall() if cursor.description else []
                if not cursor.nextset():
                    return repr(found)
        except DBAPIError as error:
            return f"{error.orig.sqlstate} {error.orig}"
        except TenantryError as error:
            return str(error)


def list_settings(route: TenantRoute) -> tuple[list[str], int]:
    """Return the keys of a tenant's settings as the next request reads them, and the server process that answered."""
    with tenant_scope(route, reason="list"):
        keys = db.session.execute(text(f"select key from {home_of(route).schema}.settings")).scalars()
        return list(keys), db.session.execute(PID).scalar_one()
