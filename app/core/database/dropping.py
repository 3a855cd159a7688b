"""Dropping a database in which somebody may still be at work."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, ObjectInUse

TRIES = 5


def drop_database(connection: psycopg.Connection[Any], name: str) -> None:
    """Drop a database and end whoever is connected to it; one that is gone already is as good.

    PostgreSQL's own vacuum is nobody whom the owner may end by force; without force DROP ends it, and waits five
    seconds for others to leave.

    Errors: ObjectInUse or InsufficientPrivilege when somebody whom the owner may not end stays.
    """
    plain = sql.SQL("drop database if exists {}").format(sql.Identifier(name))
    forced = sql.SQL("{} with (force)").format(plain)
    for _ in range(TRIES):
        with suppress(InsufficientPrivilege):
            connection.execute(forced)
            return
        with suppress(ObjectInUse):
            connection.execute(plain)
            return
    connection.execute(forced)
