"""Services: every public one records an audit event in its own file, or says why it records none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source import Function, module_functions, place, report, rooms

RECORDS = "record_event"
EXCUSE = "unaudited"
# The feature that does the recording.
RECORDER = "audit"
# A service is one transaction's worth of work of a person or a job: none of these is an argument of it.
FOREIGN_ARGUMENTS = {"form", "request", "session", "current_user"}


def services() -> list[Path]:
    """Return the files of every feature's services."""
    return [path for path in rooms("services") if RECORDER not in path.parts]


def unrecorded(path: Path) -> list[str]:
    """Return each public function of a file that neither records an event nor is excused."""
    functions = {function.name: function for function in module_functions(path)}
    public = [function for function in functions.values() if function.is_public]
    return [str(each) for each in public if excuse_of(each) is None and not records(each, functions)]


def records(function: Function, functions: dict[str, Function], seen: frozenset[str] = frozenset()) -> bool:
    """Tell whether a function records an event itself or through another function of its own file."""
    called = calls_of(function) - seen
    helpers = [functions[name] for name in called if name in functions]
    return RECORDS in called or any(records(helper, functions, seen | called) for helper in helpers)


def calls_of(function: Function) -> set[str]:
    """Return the bare names that a function calls, or hands on to be called."""
    nodes = [node for node in ast.walk(function.node) if isinstance(node, ast.Name)]
    return {node.id for node in nodes if isinstance(node.ctx, ast.Load)}


def excuse_of(function: Function) -> ast.Call | None:
    """Return the @unaudited("reason") over a function."""
    calls = [each for each in function.node.decorator_list if isinstance(each, ast.Call)]
    return next((call for call in calls if ast.unparse(call.func).rpartition(".")[2] == EXCUSE), None)


def arguments_of(function: Function) -> set[str]:
    """Return the names of a function's arguments."""
    given = function.node.args
    return {argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)}


def test_every_service_records_an_event_or_says_why_not() -> None:
    silent = [fault for path in services() for fault in unrecorded(path)]
    assert not silent, f"call {RECORDS}() in the transaction, or add @{EXCUSE}(…):{report(silent)}"


def test_every_excuse_has_a_reason() -> None:
    found = [(each, excuse_of(each)) for path in services() for each in module_functions(path)]
    bare = [
        each for each, call in found if call is not None and not (call.args and ast.unparse(call.args[0]).strip("'"))
    ]
    assert not bare, report(bare)


def test_no_excuse_stands_over_a_service_that_records() -> None:
    found = [each for path in services() for each in module_functions(path) if excuse_of(each) is not None]
    needless = [each for each in found if RECORDS in calls_of(each)]
    assert not needless, f"it records an event after all:{report(needless)}"


def test_a_service_takes_values_and_an_actor_and_nothing_of_the_request() -> None:
    found = [each for path in services() for each in module_functions(path)]
    strange = [f"{each}: {sorted(arguments_of(each) & FOREIGN_ARGUMENTS)}" for each in found]
    assert not [line for line in strange if not line.endswith("[]")], report(strange)


def test_no_service_is_named_after_nothing() -> None:
    vague = ("handle_", "process_", "manage_", "do_", "perform_")
    found = [each for path in services() for each in module_functions(path) if each.name.startswith(vague)]
    assert not found, report(found)


# Source, and how many silent services are in it.
SOURCES = {
    "def suspend(): change()": 1,
    "def suspend():\n    record_event(1)": 0,
    "def suspend():\n    _write()\ndef _write():\n    _note()\ndef _note():\n    record_event(1)": 0,
    "def suspend():\n    change()\ndef change():\n    record_event(1)": 0,
    "from app.jobs.services import change\ndef suspend():\n    change()": 1,
    "@unaudited('a throttle only counts')\ndef suspend(): change()": 0,
    "def suspend():\n    _a()\ndef _a():\n    _b()\ndef _b():\n    _a()": 1,
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_silent_service_would_be_named(source: str, tmp_path: Path) -> None:
    path = tmp_path / "services.py"
    path.write_text(source)
    assert [fault.partition(" ")[2] for fault in unrecorded(path)] == ["suspend()"] * SOURCES[source]
    assert place(path, 1) == "services.py:1"
