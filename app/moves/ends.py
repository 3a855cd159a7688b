"""The two ends of a copy: a tenant's home as the engine reads or writes it, over the owner's own connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg
from psycopg import IsolationLevel, sql

from app.core.database.owner import owner_connection, owner_in_home
from app.core.errors import StateError
from app.core.tenancy.scopes import Placement

# What the text of a row depends on; both ends must write it alike to be compared.
_SAME_TEXT = """
set local timezone to 'UTC'; set local datestyle to 'ISO, YMD'; set local intervalstyle to 'postgres';
set local extra_float_digits to 1; set local bytea_output to 'hex'
"""


@dataclass(frozen=True)
class End:
    """A home with a connection to its database."""

    tenant_id: UUID
    placement: Placement
    connection: psycopg.Connection[Any]

    def table(self, name: str) -> sql.Composable:
        """Return a table's name with its schema."""
        return sql.SQL("{}.{}").format(sql.Identifier(self.placement.schema), sql.SQL(name))

    @contextmanager
    def transaction(self, *, snapshot: bool = False) -> Iterator[None]:
        """Run one transaction under the tenant's context, with `snapshot` from one moment's view of the data."""
        self.connection.isolation_level = IsolationLevel.REPEATABLE_READ if snapshot else None
        # The route's epoch may be ahead of this database's, until the route is turned.
        placement = replace(self.placement, epoch=self._epoch())
        with owner_in_home(self.connection, self.tenant_id, placement):
            self.connection.execute(_SAME_TEXT)
            yield

    @contextmanager
    def bare_transaction(self) -> Iterator[None]:
        """Run one transaction without a context: for tables that have no policies yet."""
        self.connection.isolation_level = None
        with self.connection.transaction():
            self.connection.execute(_SAME_TEXT)
            yield

    def _epoch(self) -> int:
        row = self.connection.execute(
            "select epoch from tenancy.homes where tenant_id = %s", (self.tenant_id,)
        ).fetchone()
        if row is None:
            raise StateError(f"The database {self.placement.address} knows no home of this tenant.")
        return int(row[0])


@contextmanager
def open_end(tenant_id: UUID, placement: Placement) -> Iterator[End]:
    """Open one end.

    Errors: UnavailableError when its server does not answer.
    """
    with owner_connection(placement.address) as connection:
        yield End(tenant_id, placement, connection)


def stream(source: End, reading: sql.Composed, target: End, writing: sql.Composed) -> int:
    """Carry what one COPY reads to what another writes; return the number of bytes."""
    byte_count = 0
    with (
        source.connection.cursor() as reader,
        target.connection.cursor() as writer,
        reader.copy(reading) as out,
        writer.copy(writing) as into,
    ):
        for block in out:
            byte_count += len(block)
            into.write(block)
    return byte_count
