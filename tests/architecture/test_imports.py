"""Imports point down: import-linter's contracts, and what import-linter cannot say."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import APP, ROOT, Function, functions_in, place, python_files, report, tree_of

# All of the application that the processes' launcher may know: it runs before there is a database.
LAUNCHER_KNOWS = ("app.core.config", "app.core.errors", "app.instance")


def imports_of(path: Path) -> list[tuple[ast.stmt, str]]:
    """Return every import of a file with the full name of the module that it reaches."""
    found: list[tuple[ast.stmt, str]] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [(node, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def is_below(name: str, *packages: str) -> bool:
    """Tell whether a module is one of the packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def imports_inside(function: Function) -> list[str]:
    """Return each import that happens only when the function runs."""
    nodes = [node for node in ast.walk(function.node) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [f"{place(function.path, node)} imports inside {function.name}()" for node in nodes]


def test_the_layers_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([program, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_launcher_knows_configuration_and_errors_only() -> None:
    faults = [
        f"{place(path, node)} imports {name}"
        for path in python_files("app/instance")
        for node, name in imports_of(path)
        if is_below(name, "app") and not is_below(name, *LAUNCHER_KNOWS)
    ]
    assert not faults, report(faults)


def test_nothing_but_the_command_line_knows_the_launcher() -> None:
    faults = [
        f"{place(path, node)} imports {name}"
        for path in python_files("app", "migrations")
        for node, name in imports_of(path)
        if is_below(name, "app.instance") and APP / "instance" not in path.parents
    ]
    assert not faults, report(faults)


def test_the_product_never_imports_its_tests() -> None:
    faults = [
        f"{place(path, node)} imports {name}"
        for path in [*python_files("app", "migrations"), *ROOT.glob("*.py")]
        for node, name in imports_of(path)
        if is_below(name, "tests")
    ]
    assert not faults, report(faults)


def test_no_import_waits_inside_a_function() -> None:
    faults = [fault for path in python_files("app") for each in functions_in(path) for fault in imports_inside(each)]
    assert not faults, report(faults)


@pytest.mark.parametrize("body", ["import os", "from app.core import ids", "if True:\n        import os"])
def test_an_import_inside_a_function_would_be_seen(body: str) -> None:
    node = ast.parse(f"def late():\n    {body}").body[0]
    assert isinstance(node, ast.FunctionDef)
    assert imports_inside(Function(ROOT / "wsgi.py", node)) != []


def test_a_web_worker_holds_nothing_of_alembic() -> None:
    look = "import sys, app; print(sorted({'alembic', 'mako', 'app.core.database.migrate'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
