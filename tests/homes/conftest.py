"""The release after this one, in which homes have something to be migrated to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.config import Settings
from app.web.hosts import Portal
from tests.homes.releases import Release, go_back, use_release


@pytest.fixture
def release(app: Portal, instance: Settings, annex: str, tmp_path: Path) -> Iterator[Release]:
    """A release with migrations of its own; what it did to pools and templates is taken back afterwards."""
    with use_release(tmp_path / "migrations") as found:
        yield found
        go_back(instance, ["main", annex])
