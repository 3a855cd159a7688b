"""Reading the pages: their links, their headings, the commands and the code that they name."""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.rendering import DOCS, ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_NAMED_PATH = re.compile(
    r"`((?:app|docs|migrations|static|templates|tests)/[\w./-]+|[\w-]+\.(?:py|toml|txt))(?:::(\w+))?`"
)
_COMMAND = re.compile(r"flask --app wsgi ([^`#\n|>]+)")
_ANCHOR_CHARACTERS = frozenset(string.ascii_lowercase + string.digits + "-_ ")


@dataclass(frozen=True)
class Link:
    """One link of a page, or one name in code that must exist: the file it leads to and the place in it."""

    page: Path
    target: str

    @property
    def path(self) -> Path:
        name = self.target.partition("#")[0]
        return (self.page.parent / name).resolve() if name else self.page

    @property
    def anchor(self) -> str:
        return self.target.partition("#")[2]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)} → {self.target}"


def list_links() -> Iterator[Link]:
    """Return every relative link of every page."""
    for page in PAGES:
        prose = _CODE.sub("", _FENCE.sub("", page.read_text()))
        for target in _LINK.findall(prose):
            if "://" not in target and not target.startswith("mailto:"):
                yield Link(page, target)


def list_named_paths() -> Iterator[tuple[Link, str]]:
    """Return every path of the repository that a page names in code, with the test or function behind `::`."""
    for page in PAGES:
        for path, name in _NAMED_PATH.findall(page.read_text()):
            yield Link(page, path), name


def list_commands() -> Iterator[tuple[Path, list[str]]]:
    """Return the words of every `flask --app wsgi …` that a page shows."""
    for page in PAGES:
        for words in _COMMAND.findall(page.read_text()):
            yield page, shlex.split(words.replace("\\", ""))


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    return {_anchor(heading) for heading in _HEADING.findall(_FENCE.sub("", page.read_text()))}


def rows_of(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the table whose first head is this one."""
    lines = iter(page.read_text().splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _anchor(heading: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return "".join(character for character in text if character in _ANCHOR_CHARACTERS).replace(" ", "-")
