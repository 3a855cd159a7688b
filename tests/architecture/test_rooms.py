"""Rooms: every file has a name that says what it holds, and some things are done in one room only."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture.source import APP, ROOT, features, module_functions, place, python_files, report, rooms, tree_of

EMPTY_NAMES = {"utils", "util", "helpers", "common", "misc", "base", "manager"}
SHARED_TEMPLATES = {"components", "emails", "errors", "layouts"}
SHARED_TESTS = {"architecture", "bench", "browser", "docs", "isolation", "journeys", "vendor"}
# Hands the environment on to its children, and reads nothing from it.
ENVIRONMENT_ROOMS = {APP / "core/config.py", APP / "instance/plan.py"}
HTMX_ROOM = APP / "web/htmx.py"
CLOCK_ROOM = APP / "core/clock.py"
# Names of the present moment that no test could move.
WALL_CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
OF_A_REQUEST = {"request", "session", "g", "render_template", "redirect", "url_for", "abort", "flash"}

Checker = Callable[[Path], Iterator[str]]


def environment_reads(path: Path) -> Iterator[str]:
    """Yield each place that looks at the environment of the process."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv", "os.environb"}:
            yield f"{place(path, node)} reads {ast.unparse(node)}"
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (f"{place(path, node)} imports {name.name}" for name in node.names if "env" in name.name)


def htmx_headers(path: Path) -> Iterator[str]:
    """Yield each text of a header of htmx's, docstrings not counted."""
    documented = {id(text) for text in docstrings(path)}
    for node in ast.walk(tree_of(path)):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented
        if is_text and "HX-" in node.value:
            yield f"{place(path, node)} names {node.value}"


def docstrings(path: Path) -> Iterator[ast.Constant]:
    """Yield the docstring nodes of a file."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def wall_clocks(path: Path) -> Iterator[str]:
    """Yield each place that asks the system for the time of day."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and ".".join(ast.unparse(node).split(".")[-2:]) in WALL_CLOCKS:
            yield f"{place(path, node)} asks {ast.unparse(node)}; app.core.clock.now() can be moved"


def request_use(path: Path) -> Iterator[str]:
    """Yield each import of what exists only while a request is answered."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module in {"flask", "flask_login", "flask_wtf", "wtforms"}:
            names = {alias.name for alias in node.names}
            if node.module != "flask" or names & OF_A_REQUEST:
                yield f"{place(path, node)} imports {', '.join(sorted(names))} from {node.module}"


def missing_docstrings(path: Path) -> Iterator[str]:
    """Yield each module, public function and public class without a sentence of its own."""
    tree = tree_of(path)
    if ast.get_docstring(tree) is None:
        yield f"{place(path, 1)} is a module without a docstring"
    for node in tree.body:
        public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if public and ast.get_docstring(node) is None:
            yield f"{place(path, node)} {node.name} has no docstring"


def faults(check: Checker, *allowed: Path) -> list[str]:
    """Return what a check finds in app/, the rooms that may not counted."""
    return [fault for path in python_files("app") if path not in allowed for fault in check(path)]


def test_no_room_is_named_after_nothing() -> None:
    named = [path for path in [*APP.rglob("*"), *(ROOT / "templates").iterdir()] if path.stem in EMPTY_NAMES]
    assert not named, f"name it after what it holds:{report(named)}"


@pytest.mark.parametrize(("folder", "shared"), [("templates", SHARED_TEMPLATES), ("tests", SHARED_TESTS)])
def test_templates_and_tests_repeat_the_names_of_app(folder: str, shared: set[str]) -> None:
    folders = {path.name for path in (ROOT / folder).iterdir() if path.is_dir() and path.name != "__pycache__"}
    strange = folders - shared - {path.parent.name for path in APP.glob("*/__init__.py")}
    assert not strange, f"{folder}/ has folders that app/ has not: {sorted(strange)}"


def test_only_the_configuration_reads_the_environment() -> None:
    found = faults(environment_reads, *ENVIRONMENT_ROOMS)
    assert not found, report(found)


def test_only_one_room_speaks_htmx() -> None:
    found = faults(htmx_headers, HTMX_ROOM)
    assert not found, f"app/web/htmx.py has a function for it:{report(found)}"


def test_only_the_clock_knows_the_time() -> None:
    found = faults(wall_clocks, CLOCK_ROOM)
    assert not found, report(found)


@pytest.mark.parametrize("room", ["models", "queries", "services"])
def test_rooms_below_the_views_know_no_request(room: str) -> None:
    found = [fault for path in rooms(room) for fault in request_use(path)]
    assert not found, f"the actor, the address and the rest are arguments:{report(found)}"


def test_everything_public_has_a_sentence() -> None:
    found = faults(missing_docstrings)
    assert not found, report(found)


def test_a_features_init_holds_a_paragraph_and_no_code() -> None:
    loud = [place(path / "__init__.py", 1) for path in features() if len(tree_of(path / "__init__.py").body) > 1]
    assert not loud, f"no code and no re-exports:{report(loud)}"


def test_every_service_says_what_it_does_in_one_imperative_sentence() -> None:
    public = [function for path in rooms("services") for function in module_functions(path) if function.is_public]
    found = [each for each in public if not (ast.get_docstring(each.node) or "").partition("\n")[0].endswith(".")]
    assert not found, f"the first line of a docstring is a whole sentence:{report(found)}"


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (environment_reads, "import os\nos.environ['HOME']"),
        (environment_reads, "import os\nos.getenv('HOME')"),
        (environment_reads, "from os import environ"),
        (htmx_headers, "response.headers['HX-Redirect'] = url"),
        (htmx_headers, "request.headers.get('HX-Request')"),
        (wall_clocks, "datetime.now(UTC)"),
        (wall_clocks, "datetime.datetime.utcnow()"),
        (wall_clocks, "date.today()"),
        (request_use, "from flask import request"),
        (request_use, "from flask_login import current_user"),
        (missing_docstrings, "def silent(): ..."),
    ],
)
def test_a_breach_would_be_seen(check: Checker, line: str, tmp_path: Path) -> None:
    path = tmp_path / "room.py"
    path.write_text(line)
    assert list(check(path)) != []
