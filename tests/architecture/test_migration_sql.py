"""Migrations as SQL: squawk finds nothing in them but what is excepted, and no tenant's rows are touched."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.migration_sql import judge, write_migrations
from tests.architecture.source import place, report, tree_of
from tests.architecture.test_migrations import revisions

OF_ROWS = re.compile(r"^\s*(insert\s+into|update|delete\s+from|truncate|merge\s+into)\b", re.IGNORECASE | re.MULTILINE)
LOCK_STATED = re.compile(r"^Lock time: .+", re.MULTILINE)


def touched_rows(path: Path) -> list[str]:
    """Return each statement of a migration that changes rows; the owner would find none, or be refused."""
    texts = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    documented = ast.get_docstring(tree_of(path), clean=False)
    return [place(path, node) for node in texts if node.value != documented and OF_ROWS.search(node.value)]


def adds_foreign_key(path: Path) -> bool:
    """Tell whether a migration adds a foreign key, which locks two tables of a pool."""
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    return any(ast.unparse(call.func) == "add_tenant_foreign_key" for call in calls)


def test_squawk_finds_nothing(tmp_path: Path) -> None:
    done = judge(write_migrations(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "alter table settings drop column value;",
        "alter table settings rename column value to content;",
        "alter table settings add column note text not null;",
        "alter table settings alter column value set not null;",
        "drop table settings;",
    ],
)
def test_what_breaks_the_release_before_would_be_found(statement: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.sql"
    path.write_text(statement)
    assert judge([path]).returncode != 0


def test_a_homes_migration_changes_no_rows() -> None:
    faults = [fault for path in revisions("tenant") for fault in touched_rows(path)]
    assert not faults, f"a backfill is an operation per tenant:{report(faults)}"


@pytest.mark.parametrize(
    "statement",
    ["update settings set value = '1'", "delete from settings", "INSERT INTO settings", "select 1;\ntruncate settings"],
)
def test_a_backfill_in_a_migration_would_be_seen(statement: str, tmp_path: Path) -> None:
    path = tmp_path / "0003_backfill.py"
    path.write_text(f'"""Fill."""\nop.execute({statement!r})\n')
    assert touched_rows(path) != []


def test_a_foreign_key_states_how_long_it_locks() -> None:
    keyed = [path for path in revisions("tenant") if adds_foreign_key(path)]
    silent = [place(path, 1) for path in keyed if not LOCK_STATED.search(ast.get_docstring(tree_of(path)) or "")]
    assert keyed, "the check looks at nothing"
    assert not silent, f"say in the docstring, “Lock time: …”, what a pool's writers wait for:{report(silent)}"
