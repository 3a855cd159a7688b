"""Sizes: files and functions that fit on a screen, templates too, and views that hold nothing but the way through."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source import (
    FOUNDATIONS,
    ROOT,
    Function,
    features,
    functions_in,
    line_count,
    module_functions,
    percentile,
    place,
    python_files,
    report,
    rooms,
    tree_of,
)

FILE_LINES, MEDIAN_FILE_LINES = 300, 120
FUNCTION_LINES, LONG_FUNCTION_LINES, MEDIAN_FUNCTION_LINES = 40, 25, 8
TEMPLATE_LINES = 150
VIEW_BODY_LINES = 15
WITHOUT_QUERIES = ("views", "jobs", "commands")
# Calls and names that only queries and services use.
OF_THE_DATABASE = {"commit", "execute", "flush", "rollback", "scalar", "scalars"}


def all_python() -> list[Path]:
    """Return app/, tests/ and the roots; migrations and vendored files are exempt."""
    return [*python_files("app", "tests"), *sorted(ROOT.glob("*.py"))]


def all_functions() -> list[Function]:
    """Return every function of app/ and tests/."""
    return [function for path in all_python() for function in functions_in(path)]


def views() -> list[Function]:
    """Return the functions of the views rooms that answer a request."""
    found = [function for path in rooms("views") for function in module_functions(path)]
    return [function for function in found if any("bp." in ast.unparse(line) for line in function.node.decorator_list)]


def files_under(folder: str, *suffixes: str) -> list[Path]:
    """Return files of some kinds, but not what others wrote."""
    found = (path for path in (ROOT / folder).rglob("*") if path.suffix in suffixes)
    return sorted(path for path in found if "vendor" not in path.parts)


def database_use(path: Path) -> list[str]:
    """Return each place of a file that asks the database itself."""
    faults = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("db.session"):
            faults.append(f"{place(path, node)} uses db.session")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in OF_THE_DATABASE:
            faults.append(f"{place(path, node)} calls {node.func.attr}()")
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "sqlalchemy":
            faults.append(f"{place(path, node)} imports SQLAlchemy")
    return faults


def test_no_file_is_longer_than_its_limit() -> None:
    files = [*all_python(), *files_under("static", ".js", ".css")]
    faults = [f"{place(path, 1)} has {line_count(path)} lines" for path in files if line_count(path) > FILE_LINES]
    assert not faults, f"more than {FILE_LINES} lines; a room that long becomes a folder:{report(faults)}"


def test_the_median_file_is_short() -> None:
    assert percentile(map(line_count, all_python()), 0.5) <= MEDIAN_FILE_LINES


def test_no_function_is_longer_than_its_limit() -> None:
    faults = [f"{each} has {each.line_count} lines" for each in all_functions() if each.line_count > FUNCTION_LINES]
    assert not faults, f"more than {FUNCTION_LINES} lines:{report(faults)}"


def test_most_functions_are_short() -> None:
    lengths = [each.line_count for each in all_functions()]
    longest = sorted(all_functions(), key=lambda each: each.line_count)[-20:]
    assert percentile(lengths, 0.95) <= LONG_FUNCTION_LINES, report(longest)
    assert percentile(lengths, 0.5) <= MEDIAN_FUNCTION_LINES, report(longest)


def test_the_products_own_functions_are_short_without_the_tests_help() -> None:
    lengths = [function.line_count for path in python_files("app") for function in functions_in(path)]
    assert percentile(lengths, 0.95) <= LONG_FUNCTION_LINES
    assert percentile(lengths, 0.5) <= MEDIAN_FUNCTION_LINES


def test_templates_are_short() -> None:
    templates = files_under("templates", ".html", ".txt")
    faults = [
        f"{place(path, 1)} has {line_count(path)} lines" for path in templates if line_count(path) > TEMPLATE_LINES
    ]
    assert not faults, f"more than {TEMPLATE_LINES} lines; what repeats is a component:{report(faults)}"


def test_views_only_lead_through() -> None:
    longest = sorted(views(), key=lambda each: each.body_line_count)[-10:]
    assert percentile([each.body_line_count for each in views()], 0.9) <= VIEW_BODY_LINES, report(longest)


@pytest.mark.parametrize("room", WITHOUT_QUERIES)
def test_rooms_that_lead_in_leave_the_database_to_others(room: str) -> None:
    faults = [fault for path in rooms(room) for fault in database_use(path)]
    assert not faults, f"queries belong into queries, commits into services:{report(faults)}"


@pytest.mark.parametrize(
    "line",
    [
        "db.session.get(Tenant, 1)",
        "session.commit()",
        "rows = connection.execute(statement)",
        "from sqlalchemy import select",
        "from sqlalchemy.orm import Session",
    ],
)
def test_a_query_in_a_view_would_be_seen(line: str, tmp_path: Path) -> None:
    path = tmp_path / "views.py"
    path.write_text(line)
    assert database_use(path) != []


def test_the_measures_look_at_something() -> None:
    assert len(all_python()) > 100
    assert len(all_functions()) > 500
    assert all(line_count(path) >= function.line_count for path in rooms("views") for function in functions_in(path))
    assert {feature.name for feature in features()}.isdisjoint(FOUNDATIONS)


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.95, 4), (0.25, 1), (1, 4)])
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile([4, 1, 3, 2], share) == value
    assert percentile([], share) == 0
