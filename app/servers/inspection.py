"""Looking at a server over connections of our own: what it is, whose it is, how it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from app.core.config import Settings
from app.core.context_token import hmac_blocks
from app.core.database.server_urls import CONNECT_ARGUMENTS, ServerUrls
from app.core.database.session import registry
from app.core.errors import ConfigError, InputError, StateError, UnavailableError
from app.core.runtime import current_settings
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import DatabaseAddress, Login

OLDEST_VERSION = 16
MEASURE_TIMEOUT = "-c statement_timeout=5000"
REFUSALS = ("authentication failed", "no password", "does not exist", "pg_hba.conf", "permission denied")
_OWNER = """
select current_setting('server_version_num')::int / 10000, current_setting('server_version'), r.rolname,
    r.rolsuper or r.rolbypassrls, r.rolcreaterole and r.rolcreatedb, d.datdba = r.oid, pg_is_in_recovery()
from pg_roles r, pg_database d where r.rolname = session_user and d.datname = current_database()
"""
_KEYS = "select inner_block, outer_block from tenancy.context_keys"
# Databases of single homes are named t_ or w_ and an id; numbackends is visible to everybody, a session's kind is not.
_SIZE = """
select coalesce(sum(pg_database_size(oid)), 0)::bigint from pg_database
where (datname = current_database() or datname ~ '^[tw]_[0-9a-f]{32}$') and has_database_privilege(oid, 'connect')
"""
_FACTS = f"""
select split_part(current_setting('server_version'), ' ', 1), ({_SIZE}),
    (select sum(numbackends)::int from pg_stat_database), current_setting('max_connections')::int
"""  # noqa: S608  # A constant in a constant.


@dataclass(frozen=True)
class Measurement:
    """What one look at a server found."""

    latency_seconds: float
    version: str
    size_bytes: int
    connection_count: int
    connection_limit: int


def check_owner_url(url: str) -> None:
    """Refuse a URL that cannot be an owner's; what is said never repeats it.

    Errors: InputError on the field `url`.
    """
    owner = Roles(current_settings().role_prefix).owner
    try:
        parts = conninfo_to_dict(url) if url.startswith(("postgresql://", "postgres://")) else {}
    except psycopg.ProgrammingError:
        parts = {}  # Its words may quote the URL.
    if not all(parts.get(name) for name in ("user", "password", "host", "dbname")):
        raise InputError(f"Write postgresql://{owner}:password@host:port/database.", "url")
    if parts["user"] != owner:
        raise InputError(f"The login must be {owner}; the guide says how it is created.", "url")


@contextmanager
def server_connection(server: str, login: Login) -> Iterator[psycopg.Connection[Any]]:
    """Connect to a server's own database with one of its logins.

    Errors: UnavailableError when it does not answer; StateError when it answers and lets the login not in.
    """
    settings = current_settings()
    url = ServerUrls(settings).get(login, DatabaseAddress(server))
    try:
        connection = psycopg.connect(url, **CONNECT_ARGUMENTS)
    except psycopg.OperationalError as error:
        if any(words in str(error) for words in REFUSALS):
            raise StateError(f"The server answers, but does not let the {login} login in.") from None
        raise UnavailableError("The server does not answer at this address.") from None
    with connection:
        yield connection


def check_owner(connection: psycopg.Connection[Any]) -> None:
    """Refuse a server that is too old or read-only, and an owner that may do too much or too little.

    Errors: StateError.
    """
    owner = Roles(current_settings().role_prefix).owner
    row = connection.execute(_OWNER).fetchone()
    assert row is not None  # noqa: S101  # Whoever is connected has a role.
    major, version, name, too_strong, can_create, owns, is_standby = row
    if major < OLDEST_VERSION:
        raise StateError(f"The server runs PostgreSQL {version}; {OLDEST_VERSION} or newer is needed.")
    if name != owner:
        raise StateError(f"The login is {name}; it must be {owner}.")
    if too_strong:
        raise StateError(f"{owner} is a superuser or passes row-level security by; it must be neither.")
    if not can_create:
        raise StateError(f"{owner} needs the rights CREATEROLE and CREATEDB.")
    if not owns:
        raise StateError(f"{owner} must own the database.")
    if is_standby:
        raise StateError("The server is a standby and takes no writes.")


def find_server_of(connection: psycopg.Connection[Any], names: list[str]) -> str | None:
    """Return which of the servers this database is, by its context key; None for a database that is nobody's yet.

    Errors: StateError for one whose key is of none of them.
    """
    if connection.execute("select to_regclass('tenancy.context_keys')").fetchone() == (None,):
        return None
    found = {(bytes(inner), bytes(outer)) for inner, outer in connection.execute(_KEYS)}
    if not found:
        return None
    for name in names:
        if _blocks_of(name) in found:
            return name
    raise StateError("This database holds homes of another installation, or of a server that was removed.")


def measure(settings: Settings, server: str) -> Measurement:
    """Measure a server over one connection.

    Units: seconds of one round trip.
    Errors: psycopg.Error or ConfigError when it cannot be reached.
    """
    url = ServerUrls(settings).get(Login.PLATFORM, DatabaseAddress(server))
    with psycopg.connect(url, options=MEASURE_TIMEOUT, **CONNECT_ARGUMENTS) as connection:
        began = time.perf_counter()
        connection.execute("select 1")
        latency_seconds = time.perf_counter() - began
        row = connection.execute(_FACTS).fetchone()
    assert row is not None  # noqa: S101  # It selects without a condition.
    return Measurement(latency_seconds, *row)


def measure_size(connection: psycopg.Connection[Any]) -> int:
    """Return how many bytes a server's own database and those of its homes take, over a connection to the former."""
    [row] = connection.execute(_SIZE).fetchall()
    return int(row[0])


def _blocks_of(server: str) -> tuple[bytes, bytes] | None:
    try:
        return hmac_blocks(registry().context_key(DatabaseAddress(server)))
    except ConfigError:
        return None  # It was never prepared so far.
