"""What a copy of a tenant does with each table of its home: every feature declares its own tables by name.

A *rule* says whether rows are copied, and which columns hold something else in the copy: a mask, a fresh value, what is
switched off, or the value rewritten by a function, as a field that is encrypted with the tenant's own key will need.
A home table without a rule makes the copy refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Treatment(StrEnum):
    """Why a column holds something else in a copy; only masks are left out when a copy is to keep names."""

    MASKED = "masked"
    RENEWED = "renewed"
    SWITCHED_OFF = "switched off"
    RECODED = "recoded"


@dataclass(frozen=True)
class CopyWay:
    """From which tenant to which other a copy goes."""

    source_id: UUID
    target_id: UUID


@dataclass(frozen=True)
class ColumnRule:
    """What a column of a copied row holds: an SQL expression over the source's row, or what a function makes of it.

    A function is given the value as PostgreSQL writes it in text and returns it likewise; NULL stays NULL.
    """

    treatment: Treatment
    expression: str = ""
    recode: Callable[[CopyWay, str], str] | None = None


@dataclass(frozen=True)
class TableRule:
    """One table's rule; `words` say to people what becomes of its rows, under the title by which they know them."""

    table: str
    title: str
    words: str
    columns: Mapping[str, ColumnRule] = field(default_factory=dict)
    is_emptied: bool = False


_rules: dict[str, TableRule] = {}


def masked(expression: str) -> ColumnRule:
    """Put something in a personal value's place that names nobody, unless the copy is to keep names."""
    return ColumnRule(Treatment.MASKED, expression)


def renewed(expression: str) -> ColumnRule:
    """Let the copy begin with a value of its own, such as none for a secret."""
    return ColumnRule(Treatment.RENEWED, expression)


def switched_off(expression: str) -> ColumnRule:
    """Keep a copy from acting on the world outside, as a webhook would."""
    return ColumnRule(Treatment.SWITCHED_OFF, expression)


def recoded(recode: Callable[[CopyWay, str], str]) -> ColumnRule:
    """Rewrite each value by a function, such as one that decrypts it with one key and encrypts it with another."""
    return ColumnRule(Treatment.RECODED, recode=recode)


def register_copy_rule(rule: TableRule) -> None:
    """Declare a table's rule; the same table again replaces it, so that a process may make several apps."""
    _rules[rule.table] = rule


def find_copy_rule(table: str) -> TableRule | None:
    """Return a table's rule, or None when no feature has declared it."""
    return _rules.get(table)


def list_copy_rules() -> list[TableRule]:
    """Return every rule by title."""
    return sorted(_rules.values(), key=lambda rule: rule.title)
