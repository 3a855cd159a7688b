"""What a copy takes of a home, table by table: a move takes every row as it is, a clone takes what its rules leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from psycopg import sql

from app.homes.structure import HomeStructure

# What a function makes of one column's value, as PostgreSQL writes it in text.
Recode = Callable[[str], str]


@dataclass(frozen=True)
class Extract:
    """What a copy takes of one table; a column of `values` holds an expression's value instead of the row's own.

    A column of `recoded` is rewritten by a function on its way; an empty extract takes no row.
    """

    table: str
    columns: tuple[str, ...]
    values: Mapping[str, sql.Composable] = field(default_factory=dict)
    recoded: Mapping[str, Recode] = field(default_factory=dict)
    is_empty: bool = False

    @property
    def compared(self) -> tuple[str, ...]:
        """Return the columns that arrive as they are, so that both ends hold the same."""
        return tuple(name for name in self.columns if name not in self.values and name not in self.recoded)

    @property
    def column_list(self) -> sql.SQL:
        return sql.SQL(", ".join(self.columns))

    def render_reading(self, table: sql.Composable, tenant_id: UUID) -> sql.Composed:
        """Return the query that reads it; the rows leave the source as they arrive at the target."""
        named = ((name, self.values.get(name)) for name in self.columns)
        columns = sql.SQL(", ").join(
            sql.SQL(name) if value is None else sql.SQL("{} as {}").format(value, sql.SQL(name))
            for name, value in named
        )
        nothing = sql.SQL(" and false" if self.is_empty else "")
        query = sql.SQL("select {} from {} where tenant_id = {}{}")
        return query.format(columns, table, sql.Literal(tenant_id), nothing)


@dataclass(frozen=True)
class Plan:
    """What a copy takes of a whole home, in the order in which its tables can be filled."""

    structure: HomeStructure
    extracts: tuple[Extract, ...]

    @property
    def is_faithful(self) -> bool:
        """Tell whether every row arrives as it is, so that what refers to a row at the source does so at the target."""
        return not any(one.values or one.recoded or one.is_empty for one in self.extracts)


def take_everything(structure: HomeStructure) -> Plan:
    """Return the plan of a copy that is equal to its source."""
    return Plan(structure, tuple(Extract(table, structure.columns(table)) for table in structure.tables))
