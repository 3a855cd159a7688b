"""The vocabularies: alphabetical, and every word in use: a job has its handler, a permission its view."""

from __future__ import annotations

from enum import StrEnum

import pytest

from app.core.audit_actions import AuditAction
from app.core.job_names import JobName
from app.core.jobs import list_job_kinds
from app.core.permissions import Permission
from app.web.decorators import find_access
from app.web.hosts import Portal
from app.web.navigation import items_for
from tests.architecture.source import APP, python_files

VOCABULARIES = (AuditAction, JobName, Permission)


def uses(word: StrEnum) -> bool:
    """Tell whether the product's code names a word outside of its vocabulary."""
    name = f"{type(word).__name__}.{word.name}"
    return any(name in path.read_text() for path in python_files("app") if path.parent != APP / "core")


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_vocabulary_is_alphabetical(vocabulary: type[StrEnum]) -> None:
    names = [word.name for word in vocabulary]
    assert names == sorted(names)


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_words_name_and_value_say_the_same(vocabulary: type[StrEnum]) -> None:
    strange = [word for word in vocabulary if word.value.replace(":", "_").replace(".", "_").upper() != word.name]
    assert not strange


@pytest.mark.parametrize("word", [word for vocabulary in VOCABULARIES for word in vocabulary], ids=repr)
def test_every_word_is_used(word: StrEnum) -> None:
    assert uses(word), f"{word!r} is in no file of app/ but its vocabulary"


def test_every_kind_of_job_has_its_handler(app: Portal) -> None:
    # Toys of other tests may be declared in this process as well.
    assert {kind.name for kind in list_job_kinds() if isinstance(kind.name, JobName)} == set(JobName)


def test_every_permission_that_a_view_asks_for_is_a_word(app: Portal) -> None:
    asked = {access.permission for view in app.view_functions.values() if (access := find_access(view))}
    assert asked - {None} <= set(Permission)


@pytest.mark.parametrize("surface", ["admin", "tenant", "public"])
def test_every_entry_of_the_navigation_leads_to_a_view_of_its_surface(app: Portal, surface: str) -> None:
    for item in items_for(surface, lambda _permission: True):
        assert item.endpoint in app.view_functions, item
        assert item.blueprint.endswith(f"_{surface}"), item
        assert item.permission is None or item.permission in set(Permission), item
