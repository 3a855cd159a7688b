"""Drift: what each home consists of, compared with the empty home of its version."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from app.core.database.home_versions import HomeKey, read_version
from app.core.database.owner import owner_connection
from app.core.database.versions import TEMPLATE_SCHEMA
from app.core.errors import StateError, TenantryError
from app.core.jobs import describe_error
from app.homes.structure import Difference, HomeStructure, Part, PartKind, compare, read_structure
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation

KIND = "homes.check"
_SAVE = "insert into control.home_templates (version, parts) values (%s, %s) on conflict do nothing"
_FIND = "select parts from control.home_templates where version = %s"
_HOMES = "select server, database_name, schema_name from control.home_versions order by 1, 2, 3"
_STORE = """
insert into control.home_checks (server, database_name, schema_name, version, differences, error, checked_at)
values (%s, %s, %s, %s, %s, %s, clock_timestamp())
on conflict (server, database_name, schema_name) do update set version = excluded.version,
    differences = excluded.differences, error = excluded.error, checked_at = excluded.checked_at
"""
_FORGET = """
delete from control.home_checks c where not exists (select from control.home_versions v
    where (v.server, v.database_name, v.schema_name) = (c.server, c.database_name, c.schema_name))
"""

_VERSION_FIX = "update alembic_version set version_num = '{}'"


def declare_check() -> None:
    """Declare the operation."""
    step = Step("compare", "Compare every home with the empty one of its version", StepScope.SERVER, check_homes)
    register_operation(OperationKind(KIND, "Check homes for drift", (step,)))


def save_template(control: psycopg.Connection[Any]) -> None:
    """Keep what an empty home of the newest version consists of: a later release still has homes of this one."""
    template = read_structure(control, TEMPLATE_SCHEMA)
    parts = [[part.kind, part.table, part.name, part.definition] for part in template.parts]
    control.execute(_SAVE, (template.version, Jsonb(parts)))


def check_homes(_given: StepInput) -> None:
    """Compare every home with the template of its version and store what differs."""
    with owner_connection() as control:
        save_template(control)
        control.execute(_FORGET)
        for row in control.execute(_HOMES).fetchall():
            _check(control, HomeKey(*row))


def _check(control: psycopg.Connection[Any], home: HomeKey) -> None:
    version, differences, error = "", list[Difference](), None
    try:
        with owner_connection(home.address) as connection, connection.transaction():
            # A migration of this home holds the same lock, and is wholly done or not begun when we have it.
            connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (home.schema,))
            version, differences = _compare(control, connection, home)
    except TenantryError as refusal:
        error = str(refusal)
    except psycopg.Error as failure:
        error = describe_error(failure)
    told = Jsonb([asdict(difference) for difference in differences])
    control.execute(_STORE, (*home, version, told, error))


def _compare(
    control: psycopg.Connection[Any], connection: psycopg.Connection[Any], home: HomeKey
) -> tuple[str, list[Difference]]:
    recorded, found = read_version(connection, home.schema), read_structure(connection, home.schema)
    version = recorded.home if recorded is not None else ""
    differences = compare(_read_template(control, version), found)
    if found.version != version:
        differences.append(Difference("version", version, found.version, _VERSION_FIX.format(version)))
    return version, differences


def _read_template(control: psycopg.Connection[Any], version: str) -> HomeStructure:
    row = control.execute(_FIND, (version,)).fetchone()
    if row is None:
        raise StateError(f"Nobody has kept what a home of version {version or 'unknown'} consists of.")
    return HomeStructure(tuple(Part(PartKind(kind), *rest) for kind, *rest in row[0]), version)
