"""The source as the architecture tests read it: files, functions with their lengths, rooms, and places to point at."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
# Not built of features: the foundation, the web layer, and what starts the processes.
FOUNDATIONS = {"core", "web", "instance"}
Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """One function or method, and where it stands."""

    path: Path
    node: Definition

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def line_count(self) -> int:
        """Return how many lines it takes, from `def` to its last, decorators not counted."""
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1

    @property
    def body_line_count(self) -> int:
        """Return how many lines it takes without signature and docstring."""
        body = self.node.body[1:] if ast.get_docstring(self.node) is not None else self.node.body
        return (self.node.end_lineno or 0) - body[0].lineno + 1 if body else 0

    @property
    def is_public(self) -> bool:
        return not self.name.startswith("_")

    def __str__(self) -> str:
        return f"{place(self.path, self.node)} {self.name}()"


def place(path: Path, node: ast.AST | int) -> str:
    """Return `file:line`, as editors and terminals open it."""
    line = node if isinstance(node, int) else getattr(node, "lineno", 1)
    return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{line}"


def python_files(*folders: str) -> list[Path]:
    """Return the Python files under folders of the repository, sorted."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if "__pycache__" not in path.parts and "vendor" not in path.parts)


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(), filename=str(path))


def line_count(path: Path) -> int:
    """Return how many lines a file has."""
    return len(path.read_text().splitlines())


def functions_in(path: Path) -> Iterator[Function]:
    """Yield every function and method of a file, inner ones included."""
    return (Function(path, node) for node in ast.walk(tree_of(path)) if isinstance(node, Definition))


def module_functions(path: Path) -> list[Function]:
    """Return the functions that a module defines at its top."""
    return [Function(path, node) for node in tree_of(path).body if isinstance(node, Definition)]


def features() -> list[Path]:
    """Return the package of each feature."""
    packages = (path.parent for path in APP.glob("*/__init__.py"))
    return sorted(path for path in packages if path.name not in FOUNDATIONS)


def rooms(name: str) -> list[Path]:
    """Return the files of a room in every feature: `<name>.py`, or all of the folder that it has become."""
    single = [feature / f"{name}.py" for feature in features()]
    several = [path for feature in features() for path in (feature / name).rglob("*.py")]
    return sorted(path for path in [*single, *several] if path.exists())


def percentile(values: Iterable[int], share: float) -> int:
    """Return the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(share * 100) // 100) - 1)] if ordered else 0


def report(faults: Iterable[object]) -> str:
    """Return the faults one a line, to stand under an assertion."""
    return "\n" + "\n".join(sorted(str(fault) for fault in faults))
