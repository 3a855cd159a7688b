"""The tenants' outboxes, one in each database that holds homes, reached by the platform through definer functions."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Result

from app.core.database.session import db, engines, registry
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, current_scope

# A database in which there was work a moment ago is looked at more often than one that rests.
HOT_SECONDS = 10.0
REST_SECONDS = 60.0


def execute_at(address: DatabaseAddress, statement: Executable, values: dict[str, Any] | None = None) -> Result[Any]:
    """Run a statement in a database as the platform, in the open transaction where that is the main one."""
    bind = engines().for_login(current_scope().login, address)
    return db.session.execute(statement, values, bind_arguments={"bind": bind})


def find_address(tenant_id: UUID) -> DatabaseAddress:
    """Return the database that holds a tenant's home and jobs; the main one for a tenant without a home."""
    route = registry().find_route(tenant_id)
    return MAIN_DATABASE if route is None or route.placement is None else route.placement.address


@dataclass
class Rounds:
    """When each database is looked at next: the main one always, others when it rang there, or their time has come."""

    _known: list[DatabaseAddress] = field(default_factory=list)
    _known_until: float = 0.0
    _due_at: dict[DatabaseAddress, float] = field(default_factory=dict)

    def due(self, rung: set[DatabaseAddress]) -> list[DatabaseAddress]:
        """Return the databases to look at now, the main one first."""
        now = time.monotonic()
        if now >= self._known_until:
            self._known, self._known_until = registry().list_databases(), now + HOT_SECONDS
        others = rung | {address for address in self._known if self._due_at.get(address, 0.0) <= now}
        return [MAIN_DATABASE, *sorted(others - {MAIN_DATABASE})]

    def note(self, address: DatabaseAddress, job_count: int) -> None:
        """Remember how much there was to do."""
        self._due_at[address] = time.monotonic() + (HOT_SECONDS if job_count else REST_SECONDS)
