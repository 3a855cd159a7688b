"""The owner's login and its database, made by the superuser of an embedded cluster."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql


def prepare_database(superuser_url: str, *, name: str, prefix: str, owner_password: str) -> str:
    """Bring the login `<prefix>_owner` and its database to the state they must have; answer the owner's URL."""
    owner = f"{prefix}_owner"
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        # Two test processes may prepare the same cluster at the same moment.
        connection.execute("select pg_advisory_lock(hashtext('tenantry.prepare_database'))")
        _ensure_owner(connection, owner, owner_password)
        _ensure_database(connection, name, owner)
    return f"postgresql://{owner}:{quote(owner_password, safe='')}@{_address(superuser_url)}/{name}"


def _ensure_owner(connection: psycopg.Connection, owner: str, password: str) -> None:
    if not _exists(connection, "select 1 from pg_roles where rolname = %s", owner):
        connection.execute(sql.SQL("create role {}").format(sql.Identifier(owner)))
    # Only the verifier travels, so no server log can ever show the password.
    verifier = connection.pgconn.encrypt_password(password.encode(), owner.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("alter role {} login nosuperuser nobypassrls noreplication createrole createdb password {}").format(
            sql.Identifier(owner), sql.Literal(verifier)
        )
    )


def _ensure_database(connection: psycopg.Connection, name: str, owner: str) -> None:
    names = {"database": sql.Identifier(name), "owner": sql.Identifier(owner)}
    if not _exists(connection, "select 1 from pg_database where datname = %s", name):
        connection.execute(sql.SQL("create database {database} owner {owner}").format(**names))
    connection.execute(sql.SQL("alter database {database} owner to {owner}").format(**names))
    connection.execute(sql.SQL("revoke all on database {database} from public").format(**names))


def _exists(connection: psycopg.Connection, query: str, name: str) -> bool:
    return connection.execute(query, [name]).fetchone() is not None


def _address(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
