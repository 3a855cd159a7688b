"""The documentation: what is rendered equals the code, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from app.cli import docs_group
from app.core.config import SettingsError, read_environment
from app.core.config_docs import NEEDED_IN_PRODUCTION
from app.core.tenancy.errors import CONTEXT_STATES
from app.tenants.status import EFFECTS, TRANSITIONS
from tests.docs.pages import PAGES, anchors_of, list_commands, list_links, list_named_paths, rows_of
from tests.docs.rendering import DOCS, RENDERED, ROOT, render_status, write_all

# What Flask and Flask-Limiter bring.
FOREIGN = {"limiter", "routes", "run", "shell"}
AGAIN = "change the code, not the page, and run: .venv/bin/python -m tests.docs"
STATES = {"works", "begun", "not yet"}
SURFACE = re.compile(r"\b(admin|tenant|public|probe) ((?:`/[^`]*`(?:, )?)+)")


@pytest.mark.parametrize("name", RENDERED)
def test_a_rendered_page_equals_the_code(name: str) -> None:
    assert (DOCS / name).read_text() == RENDERED[name](), AGAIN


def test_the_docs_command_writes_the_configuration_page(tmp_path: Path) -> None:
    result = CliRunner().invoke(docs_group, ["configuration", "--to", str(tmp_path / "page.md")])
    assert (result.exit_code, result.output) == (0, f"{tmp_path / 'page.md'} is written.\n")
    assert (tmp_path / "page.md").read_text() == RENDERED["configuration.md"]()


def test_writing_the_rendered_pages_again_changes_nothing(tmp_path: Path) -> None:
    names = ["tenants.md", *RENDERED]
    (tmp_path / "tenants.md").write_text((DOCS / "tenants.md").read_text())
    write_all(tmp_path)
    assert [name for name in names if (tmp_path / name).read_text() != (DOCS / name).read_text()] == [], AGAIN


def test_what_production_needs_is_what_it_refuses_to_start_without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NEEDED_IN_PRODUCTION, "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError) as caught:
        read_environment(TENANTRY_ENV="production")
    assert str(caught.value).endswith(f"production needs {', '.join(NEEDED_IN_PRODUCTION)}")


def test_the_page_about_tenants_shows_the_status_machine_of_the_code() -> None:
    assert render_status() in (DOCS / "tenants.md").read_text(), AGAIN


def test_the_status_tables_hold_every_transition_and_effect() -> None:
    page = DOCS / "tenants.md"
    shown = {cells[0].strip("`"): set(cells[1].replace("`", "").split(", ")) for cells in rows_of(page, "status")}
    assert shown == {start.value: {end.value for end in ends} or {"nothing"} for start, ends in TRANSITIONS.items()}
    assert all(effect.portal in page.read_text() for effect in EFFECTS.values())


def test_every_relative_link_leads_to_a_file_and_its_heading() -> None:
    broken = [
        str(link)
        for link in list_links()
        if not link.path.exists() or (link.anchor and link.anchor not in anchors_of(link.path))
    ]
    assert broken == []


def test_every_path_and_test_that_is_named_exists() -> None:
    missing = [
        f"{link}::{name}"
        for link, name in list_named_paths()
        if not _is_there(link.target) or (name and f"def {name}(" not in (ROOT / link.target).read_text())
    ]
    assert missing == []


def test_every_command_that_is_shown_exists_with_its_options(app: Any) -> None:
    unknown = []
    for page, words in list_commands():
        command, rest = _resolve(app.cli, words)
        known = {name for parameter in command.params for name in parameter.opts}
        options = [word.partition("=")[0].strip("[]") for word in rest if word.lstrip("[").startswith("--")]
        if isinstance(command, click.Group) and rest:
            unknown.append((page.name, words))
        unknown += [(page.name, words) for option in options if option not in known and option != "--help"]
    assert unknown == []


def test_every_command_of_the_product_is_explained(app: Any) -> None:
    shown = {" ".join(words[: len(path)]) for _, words in list_commands() for path in _paths(app.cli)}
    assert [" ".join(path) for path in _paths(app.cli) if " ".join(path) not in shown] == []


def test_every_error_of_the_context_is_explained() -> None:
    shown = {cells[0].strip("`"): cells[1] for cells in rows_of(DOCS / "troubleshooting.md", "SQLSTATE")}
    assert shown == CONTEXT_STATES


def test_every_capability_says_how_far_it_is() -> None:
    states = {cells[0]: cells[2] for cells in _capabilities()}
    assert len(states) == 45
    assert set(states.values()) <= STATES


def test_a_capability_that_is_begun_names_its_tests_and_its_pages() -> None:
    built = [cells for cells in _capabilities() if cells[2] != "not yet"]
    assert [cells[0] for cells in built if "](../tests/" not in cells[3] or not cells[4]] == []


def test_every_page_of_a_capability_exists(app: Any) -> None:
    known = {
        (rule.subdomain, re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", rule.rule))
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
    }
    named = {
        (surface, path)
        for cells in _capabilities()
        for surface, paths in SURFACE.findall(cells[4])
        for path in re.findall(r"`([^`]+)`", paths)
    }
    assert len(named) > 30
    assert sorted(named - known) == []


def test_the_readme_leads_to_every_page() -> None:
    reached, ahead = set(), {ROOT / "README.md"}
    while ahead:
        reached |= ahead
        ahead = {link.path for link in list_links() if link.page in ahead and link.path.suffix == ".md"} - reached
    assert sorted(page.name for page in set(PAGES) - reached) == []


def _is_there(target: str) -> bool:
    return (ROOT / target).exists()


def _resolve(group: click.Group, words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that words name, and the words behind it."""
    command: click.Command = group
    for place, word in enumerate(words):
        if not isinstance(command, click.Group):
            return command, words[place:]
        found = command.commands.get(word)
        if found is None:
            return command, words[place:]
        command = found
    return command, []


def _paths(group: click.Group, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the words of every command that is the product's own."""
    found = []
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            found += _paths(command, (*before, name)) if name not in FOREIGN else []
        elif name not in FOREIGN:
            found.append((*before, name))
    return found


def _capabilities() -> list[list[str]]:
    """Return the lines of every table of capabilities."""
    lines = (DOCS / "capabilities.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [cells for cells in rows if cells[0] not in ("#", "---")]
