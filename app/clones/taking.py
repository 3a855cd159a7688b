"""From the features' copy rules to the plan of a clone's bulk copy."""

from __future__ import annotations

from functools import partial

from psycopg import sql

from app.core.copy_rules import CopyWay, TableRule, Treatment, find_copy_rule
from app.core.errors import StateError
from app.homes.structure import HomeStructure
from app.moves.extracts import Extract, Plan


def plan_clone(structure: HomeStructure, way: CopyWay, *, keeps_names: bool) -> Plan:
    """Return what a clone takes of a home, in which each row belongs to the new tenant.

    Errors: StateError for a table that no feature has declared, or one whose rows would refer to rows that stay behind.
    """
    rules = {table: _get_rule(table) for table in structure.tables}
    _refuse_dangling(structure, rules)
    extracts = (_extract(structure.columns(table), rule, way, keeps_names) for table, rule in rules.items())
    return Plan(structure, tuple(extracts))


def _get_rule(table: str) -> TableRule:
    rule = find_copy_rule(table.strip('"'))
    if rule is None:
        raise StateError(f"No feature says what a clone does with the table {table}, so nothing is cloned.")
    return rule


def _refuse_dangling(structure: HomeStructure, rules: dict[str, TableRule]) -> None:
    for one in structure.references:
        child, parent = rules[one.table], rules[one.target]
        if parent.is_emptied and not child.is_emptied and one.column not in child.columns:
            raise StateError(
                f"A clone takes the rows of {one.table} and none of {one.target}, to which their {one.column} leads."
            )


def _extract(columns: tuple[str, ...], rule: TableRule, way: CopyWay, keeps_names: bool) -> Extract:
    applied = {
        name: column
        for name, column in rule.columns.items()
        # A home of the version before may lack a column.
        if name in columns and not (keeps_names and column.treatment is Treatment.MASKED)
    }
    values = {name: sql.SQL(column.expression) for name, column in applied.items() if column.recode is None}
    recoded = {name: partial(column.recode, way) for name, column in applied.items() if column.recode is not None}
    tenant = {"tenant_id": sql.Literal(way.target_id)}
    return Extract(rule.table, columns, {**values, **tenant}, recoded, is_empty=rule.is_emptied)
