"""The structure of a home, read from the catalog part by part: what a copy of it consists of, what drift differs in.

Every statement is without a schema, so that it builds any home: whoever runs it sets the search_path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql

from app.core.errors import StateError
from app.homes.catalog import OTHER_RELATIONS, PARTS

VERSION_TABLE = "alembic_version"
GENERATED = " generated always as "
_COLUMN = re.compile(r"(?P<type>.+?)(?: default (?P<default>.+?))?(?P<not_null> not null)?")
_REFERENCE = re.compile(r"FOREIGN KEY \(tenant_id, (?P<column>[^)]+)\) REFERENCES (?P<target>[^(]+)\(tenant_id, id\)")


class PartKind(StrEnum):
    """The kinds of part, in the order in which a home is built."""

    TABLE = "table"
    COLUMN = "column"
    CONSTRAINT = "constraint"
    INDEX = "index"
    FOREIGN_KEY = "foreign key"
    SECURITY = "row-level security"
    POLICY = "policy"
    GRANT = "grant"
    TRIGGER = "trigger"
    OWNER = "owner"


@dataclass(frozen=True)
class Part:
    """One thing in a home's catalog; `definition` is what PostgreSQL itself says of it."""

    kind: PartKind
    table: str
    name: str
    definition: str

    @property
    def label(self) -> str:
        """Return what people call it."""
        return f"{self.kind} {self.table}.{self.name}" if self.name else f"{self.kind} {self.table}"

    @property
    def create(self) -> str:
        """Return the statement that brings it into being."""
        return _CREATE[self.kind].format(table=self.table, name=self.name, definition=self.definition)

    @property
    def mend(self) -> str:
        """Return the statements that bring it into being in a home with rows.

        Under FORCE a foreign key would be validated against the rows that a context shows, and without one not at all.
        """
        reference = _REFERENCE.match(self.definition) if self.kind is PartKind.FOREIGN_KEY else None
        if reference is None:
            return self.create
        tables = sorted({self.table, reference["target"]})
        lifted, forced = (
            [f"alter table {table} {verb} row level security" for table in tables] for verb in ("no force", "force")
        )
        return "; ".join([*lifted, self.create, *forced])

    @property
    def drop(self) -> str:
        """Return the statement that takes it away; what must not be lost has none and says so."""
        return _DROP[self.kind].format(table=self.table, name=self.name)


@dataclass(frozen=True)
class Reference:
    """One foreign key inside a home: the column of a table that holds the id of a row of another."""

    table: str
    column: str
    target: str


@dataclass(frozen=True)
class HomeStructure:
    """Every part of a home."""

    parts: tuple[Part, ...]
    version: str

    @cached_property
    def by_label(self) -> dict[str, Part]:
        return {part.label: part for part in self.parts}

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Return the tables that hold a tenant's rows, each after those that its foreign keys lead to.

        Errors: StateError for keys that lead in a circle.
        """
        names = sorted(part.table for part in self._of(PartKind.TABLE) if part.table != VERSION_TABLE)
        needs = {name: {one.target for one in self.references if one.table == name} - {name} for name in names}
        ordered: list[str] = []
        while needs:
            free = sorted(name for name, targets in needs.items() if targets <= set(ordered))
            if not free:
                raise StateError(f"Foreign keys lead in a circle: {', '.join(sorted(needs))}.")
            ordered += free
            needs = {name: targets for name, targets in needs.items() if name not in free}
        return tuple(ordered)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Return every foreign key; each joins (tenant_id, column) to (tenant_id, id)."""
        found = ((part.table, _REFERENCE.match(part.definition)) for part in self._of(PartKind.FOREIGN_KEY))
        return tuple(Reference(table, match["column"], match["target"]) for table, match in found if match)

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the columns of a table that a copy writes; a generated one makes its value itself."""
        columns = (part for part in self._of(PartKind.COLUMN) if part.table == table)
        return tuple(part.name for part in columns if GENERATED not in part.definition)

    def render_tables(self) -> str:
        """Return the script of the bare tables: columns alone, so that a bulk copy meets no key and no policy."""
        return "\n".join(self._render_table(part.table) for part in self._of(PartKind.TABLE))

    def render_guards(self) -> str:
        """Return the script of everything else: keys, indexes, row-level security, policies, grants, triggers."""
        bare = (PartKind.TABLE, PartKind.COLUMN, PartKind.OWNER)
        order = list(PartKind)
        guards = sorted((part for part in self.parts if part.kind not in bare), key=lambda part: order.index(part.kind))
        return "\n".join(f"{part.create};" for part in guards)

    def _render_table(self, table: str) -> str:
        columns = (part for part in self._of(PartKind.COLUMN) if part.table == table)
        return f"create table {table} ({', '.join(f'{part.name} {part.definition}' for part in columns)});"

    def _of(self, kind: PartKind) -> list[Part]:
        return [part for part in self.parts if part.kind is kind]


@dataclass(frozen=True)
class Difference:
    """One part in which a home differs from what it should be, and the statements that mend it."""

    label: str
    expected: str | None
    found: str | None
    fix: str


def read_structure(connection: psycopg.Connection[Any], schema: str) -> HomeStructure:
    """Return the structure of the home in a schema, as its owner sees it.

    Errors: StateError when the schema holds something that no copy would take along.
    """
    with connection.transaction():
        # Without a schema in their names, because what is visible on the path is named without one.
        connection.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(schema)))
        others = connection.execute(OTHER_RELATIONS, (schema,)).fetchall()
        if others:
            raise StateError(f"The home {schema} holds {others[0][0]}, which a home's structure does not cover.")
        rows = connection.execute(PARTS, {"schema": schema}).fetchall()
        versions = connection.execute(f"select version_num from {VERSION_TABLE}").fetchall()  # noqa: S608  # A constant.
    parts = tuple(Part(PartKind(kind), table, name, text) for kind, table, name, text in rows)
    return HomeStructure(parts, versions[0][0])


def compare(expected: HomeStructure, found: HomeStructure) -> list[Difference]:
    """Return what a home lacks, has beside, and has otherwise, in the order in which it would be mended."""
    labels = [*expected.by_label, *(label for label in found.by_label if label not in expected.by_label)]
    pairs = ((label, expected.by_label.get(label), found.by_label.get(label)) for label in labels)
    return [_difference(label, wanted, present) for label, wanted, present in pairs if wanted != present]


def _difference(label: str, wanted: Part | None, present: Part | None) -> Difference:
    statements = [part for part in (present and present.drop, wanted and wanted.mend) if part]
    if wanted and present and wanted.kind is PartKind.COLUMN and GENERATED not in wanted.definition:
        statements = [_mend_column(wanted)]  # Its values stay; one that is computed is made anew.
    return Difference(
        label, wanted.definition if wanted else None, present.definition if present else None, "; ".join(statements)
    )


def _mend_column(wanted: Part) -> str:
    found = _COLUMN.fullmatch(wanted.definition)
    assert found is not None  # noqa: S101  # The catalog's query has written it in this form.
    alter = f"alter column {wanted.name}"
    default = f"set default {found['default']}" if found["default"] else "drop default"
    null = "set not null" if found["not_null"] else "drop not null"
    return f"alter table {wanted.table} {alter} type {found['type']}, {alter} {default}, {alter} {null}"


_CREATE = {
    PartKind.TABLE: "create table {table} ()",
    PartKind.COLUMN: "alter table {table} add column {name} {definition}",
    PartKind.CONSTRAINT: "alter table {table} add constraint {name} {definition}",
    PartKind.INDEX: "{definition}",
    PartKind.FOREIGN_KEY: "alter table {table} add constraint {name} {definition}",
    PartKind.SECURITY: "alter table {table} {definition}",
    PartKind.POLICY: "create policy {name} on {table} {definition}",
    PartKind.GRANT: "grant {definition} on {table} to {name}",
    PartKind.TRIGGER: "{definition}",
    PartKind.OWNER: "alter table {table} owner to {definition}",
}
_DROP = {
    PartKind.TABLE: "drop table {table}",
    PartKind.COLUMN: "alter table {table} drop column {name}",
    PartKind.CONSTRAINT: "alter table {table} drop constraint {name}",
    PartKind.INDEX: "drop index {name}",
    PartKind.FOREIGN_KEY: "alter table {table} drop constraint {name}",
    PartKind.SECURITY: "",
    PartKind.POLICY: "drop policy {name} on {table}",
    PartKind.GRANT: "revoke all on {table} from {name}",
    PartKind.TRIGGER: "drop trigger {name} on {table}",
    PartKind.OWNER: "",
}
