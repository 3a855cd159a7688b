"""Migrations: one line of revisions a tree, each with its way back, and nothing in them but schema."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from app.core.database.migrate import tree_config
from app.core.database.versions import MIGRATIONS, TREES, newest_version
from app.core.tenancy.ddl import Roles
from tests.architecture.source import place, report, tree_of

NAMES = [tree for tree, _schema in TREES]
FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.py")
# A home lies in another schema for every tier, so its migrations name none.
A_HOMES_SCHEMA = re.compile(r"\b(pool|home|tenant)\.[a-z]")
ANOTHER_SCHEMA = re.compile(r"\b(?:create table|alter table|create index \w+ on|insert into|update)\s+control\.")


def revisions(tree: str) -> list[Path]:
    """Return a tree's revision files in their order."""
    return sorted((MIGRATIONS / tree / "versions").glob("[0-9]*.py"))


@pytest.mark.parametrize("tree", NAMES)
def test_a_tree_is_one_line_numbered_without_gaps(tree: str) -> None:
    script = ScriptDirectory(str(MIGRATIONS / tree))
    numbers = [revision.revision for revision in reversed(list(script.walk_revisions()))]
    assert script.get_heads() == [newest_version(tree)]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert [path.name[:4] for path in revisions(tree)] == numbers
    assert all(FILE.fullmatch(path.name) for path in revisions(tree))


@pytest.mark.parametrize("tree", NAMES)
def test_every_revision_says_what_it_does_and_leads_back(tree: str) -> None:
    faults = []
    for path in revisions(tree):
        functions = {node.name: node for node in tree_of(path).body if isinstance(node, ast.FunctionDef)}
        if ast.get_docstring(tree_of(path)) is None:
            faults.append(f"{place(path, 1)} has no docstring")
        if isinstance(functions["downgrade"].body[0], ast.Pass):
            faults.append(f"{place(path, functions['downgrade'])} leads nowhere")
    assert not faults, report(faults)


def test_a_homes_migration_names_no_schema() -> None:
    faults = [
        f"{place(path, number)} {line.strip()}"
        for path in revisions("tenant")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if A_HOMES_SCHEMA.search(line) or ANOTHER_SCHEMA.search(line)
    ]
    assert not faults, report(faults)


@pytest.mark.parametrize(("tree", "schema"), TREES)
def test_a_tree_can_be_written_out_as_sql(tree: str, schema: str) -> None:
    config = tree_config(None, Roles("tenantry"), tree, schema)
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    written = config.output_buffer.getvalue().lower()
    assert f"set local search_path to {schema}" in written
    assert "create table" in written
