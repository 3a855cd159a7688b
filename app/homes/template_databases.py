"""The database on each server from which databases of single homes are copied; nobody can connect to a finished one."""

from __future__ import annotations

from psycopg import sql
from sqlalchemy.engine import make_url

from app.core.database.dropping import drop_database
from app.core.database.migrations import migrate_database
from app.core.database.owner import owner_connection
from app.core.database.server_urls import ServerUrls
from app.core.runtime import current_settings
from app.core.tenancy.scopes import DatabaseAddress, Login
from app.homes.making import newest_home

_IS_FINISHED = "select datistemplate from pg_database where datname = %s"

_TEMPLATES = "select datname from pg_database where starts_with(datname, %s)"


def ensure_template_database(server: str) -> str:
    """Return the name of the server's template of the newest version, made when it is missing.

    It becomes a template, closed to connections, as the last act, so an unfinished one is never copied.
    """
    name = template_name(server)
    with owner_connection(DatabaseAddress(server)) as connection, connection.transaction():
        # CREATE DATABASE wants no transaction, so this connection only keeps the others waiting.
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
        if connection.execute(_IS_FINISHED, (name,)).fetchone() != (True,):
            _make_template(DatabaseAddress(server, name))
    return name


def renew_template_database(server: str) -> None:
    """Bring the server's template to the newest version, where it has one; those of older versions are dropped."""
    with owner_connection(DatabaseAddress(server)) as connection:
        names = [name for (name,) in connection.execute(_TEMPLATES, (_prefix(server),))]
    if not names:
        return
    newest = ensure_template_database(server)
    with owner_connection(DatabaseAddress(server)) as connection:
        for name in (name for name in names if name < newest):
            connection.execute(sql.SQL("alter database {} is_template false").format(sql.Identifier(name)))
            drop_database(connection, name)


def template_name(server: str) -> str:
    """Return what a server's template of this release is called; it changes with either tree's version."""
    return f"{_prefix(server)}{newest_home()}"


def _prefix(server: str) -> str:
    # Named after the server's own database, because two installations may share a cluster.
    own = make_url(ServerUrls(current_settings()).get(Login.OWNER, DatabaseAddress(server))).database
    return f"{own}_home_"


def _make_template(address: DatabaseAddress) -> None:
    name = sql.Identifier(address.name)
    with owner_connection(DatabaseAddress(address.server)) as connection:
        drop_database(connection, address.name)
        connection.execute(sql.SQL("create database {} template template0").format(name))
        migrate_database(current_settings(), address)
        connection.execute(sql.SQL("alter database {} with allow_connections false is_template true").format(name))
