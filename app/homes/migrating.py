"""Migrating homes in schemas and databases of their own: one script, one transaction and one round trip a home.

Whoever dies in the middle leaves each home wholly old or wholly new: the version is written in the same transaction.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors

from app.core.config import Settings
from app.core.database.home_versions import RECORD, HomeKey, HomeVersion, read_version
from app.core.database.migrations import render_upgrade
from app.core.database.owner import connect_as_owner
from app.core.database.versions import newest_version
from app.core.errors import StateError, TenantryError, UnavailableError
from app.core.jobs import describe_error
from app.core.runtime import current_settings
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress

WORKERS = 4
LOCK_SECONDS = 5
STATEMENT_SECONDS = 300
_OTHER_VERSION = "TNM01"
# The lock is waited for: a script whose client was killed goes on in the server, and holds it until its own end.
_HEAD = """
set local lock_timeout = '{lock_seconds}s';
set local statement_timeout = '{statement_seconds}s';
select pg_advisory_xact_lock(hashtextextended('{schema}', 0));
do $guard$ begin
    if (select version_num from {schema}.alembic_version) is distinct from '{version}'{or_tenancy} then
        raise exception 'another version' using errcode = '{other_version}';
    end if;
end $guard$;
"""
_OR_TENANCY = " or (select version_num from tenancy.alembic_version) is distinct from '{version}'"


@dataclass(frozen=True)
class HomeToMigrate:
    """A home, the versions that it was found with, and those that it is to have."""

    key: HomeKey
    found: HomeVersion
    wanted: HomeVersion


@dataclass(frozen=True)
class Outcome:
    """What has become of a home: its version now, or why it is still what it was."""

    key: HomeKey
    version: HomeVersion | None
    error: str | None
    seconds: float


def wanted_version(home: HomeKey, found: HomeVersion, to_version: str) -> HomeVersion:
    """Return what a home is to rest on; only one in a database of its own brings schema `tenancy` along."""
    return HomeVersion(to_version, newest_version("tenancy") if home.database else found.tenancy)


def migrate_homes(homes: Sequence[HomeToMigrate]) -> list[Outcome]:
    """Migrate homes, several at a time, and return what became of each; every one is attempted.

    A home whose version is what is wanted by now counts as migrated.
    """
    roles = Roles(current_settings().role_prefix)
    # Rendered before the threads start: Alembic keeps what it works on in its modules.
    scripts = {pair: _render(roles, *pair) for pair in {_change_of(home) for home in homes}}
    # Side by side what one connection can do.
    waiting = deque(sorted(homes, key=lambda home: home.key))
    outcomes: list[Outcome] = []
    workers = [_Worker(current_settings(), scripts, waiting, outcomes) for _number in range(min(WORKERS, len(homes)))]
    with ThreadPoolExecutor(len(workers) or 1) as pool:
        for done in [pool.submit(worker.work) for worker in workers]:
            done.result()
    return outcomes


def _change_of(home: HomeToMigrate) -> tuple[bool, HomeVersion, HomeVersion]:
    return bool(home.key.database), home.found, home.wanted


def _render(roles: Roles, has_database: bool, found: HomeVersion, wanted: HomeVersion) -> str:
    """Return the script that all homes with the same change share; their own schema goes into the braces."""
    parts = []
    if has_database and found.tenancy != wanted.tenancy:
        parts += ["set local search_path to tenancy;", render_upgrade(roles, "tenancy", found.tenancy, wanted.tenancy)]
    parts.append("set local search_path to {schema};")
    if found.home != wanted.home:
        parts.append(render_upgrade(roles, "tenant", found.home, wanted.home))
    return "\n".join(parts)


class _Worker:
    """One thread: takes homes until none is left, over one connection as long as they lie in one database."""

    def __init__(
        self,
        settings: Settings,
        scripts: dict[tuple[bool, HomeVersion, HomeVersion], str],
        waiting: deque[HomeToMigrate],
        outcomes: list[Outcome],
    ) -> None:
        self._settings, self._scripts = settings, scripts
        self._waiting, self._outcomes = waiting, outcomes
        self._connection: psycopg.Connection[Any] | None = None
        self._address = MAIN_DATABASE
        self._away: dict[str, UnavailableError] = {}

    def work(self) -> None:
        """Migrate one home after the other."""
        while (home := self._take()) is not None:
            began = time.perf_counter()
            version, error = self._attempt(home)
            self._outcomes.append(Outcome(home.key, version, error, time.perf_counter() - began))
        self._close()

    def _take(self) -> HomeToMigrate | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def _attempt(self, home: HomeToMigrate) -> tuple[HomeVersion | None, str | None]:
        try:
            return self._migrate(self._connect(home.key), home), None
        except (psycopg.Error, TenantryError) as error:
            return None, _describe(error)

    def _migrate(self, connection: psycopg.Connection[Any], home: HomeToMigrate) -> HomeVersion:
        schema, found, wanted = home.key.schema, home.found, home.wanted
        head = _HEAD.format(
            lock_seconds=LOCK_SECONDS,
            statement_seconds=STATEMENT_SECONDS,
            schema=schema,
            version=found.home,
            or_tenancy=_OR_TENANCY.format(version=found.tenancy) if home.key.database else "",
            other_version=_OTHER_VERSION,
        )
        body = self._scripts[_change_of(home)].replace("{schema}", schema)
        try:
            # Several statements in one message are one transaction.
            connection.execute(head + body + RECORD.format(schema=schema, version=wanted.home))
        except psycopg.Error as error:
            if error.sqlstate != _OTHER_VERSION:
                raise
            return _require(read_version(connection, schema), wanted)
        return wanted

    def _connect(self, key: HomeKey) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed or self._address != key.address:
            self._close()
            # Whoever waits for a server that is away waits once, not once a home.
            if key.server in self._away:
                raise self._away[key.server]
            try:
                self._connection, self._address = connect_as_owner(self._settings, key.address), key.address
            except UnavailableError as error:
                self._away.update({key.server: error} if self._is_away(key.server) else {})
                raise
        return self._connection

    def _is_away(self, server: str) -> bool:
        try:
            connect_as_owner(self._settings, DatabaseAddress(server)).close()
        except UnavailableError:
            return True
        return False

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _describe(error: psycopg.Error | TenantryError) -> str:
    """Say why a home is still what it was, for whoever operates the platform."""
    if isinstance(error, errors.LockNotAvailable):
        return f"A transaction in this home held a lock for more than {LOCK_SECONDS} s; nothing was changed."
    if isinstance(error, errors.QueryCanceled):
        return f"A statement took more than {STATEMENT_SECONDS} s; nothing was changed."
    return str(error) if isinstance(error, TenantryError) else describe_error(error)


def _require(version: HomeVersion | None, wanted: HomeVersion) -> HomeVersion:
    """Return the version of a home that somebody else has migrated meanwhile."""
    if version is None or version.home != wanted.home:
        found = version.home if version is not None else "unknown"
        raise StateError(f"This home is at version {found} by now; a new run will find it.")
    return version
