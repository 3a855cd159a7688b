"""Releases of the tests' own: the product's migrations and more after them, in a folder that takes their place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from alembic import command
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import make_url

from app.core.config import Settings
from app.core.database import migrate as migrating
from app.core.database import versions
from app.core.database.dropping import drop_database
from app.core.database.migrate import tree_config
from app.core.database.server_urls import ServerUrls
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, Login

REVISION = '''"""A migration of the tests' own."""

from alembic import op

from app.core.tenancy.ddl import add_index, drop_index, protect_home_table

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''
ADD = 'op.execute("alter table settings add column note text")'
DROP = 'op.execute("alter table settings drop column note")'

POOLS = "update control.home_versions set version = %s, tenancy_version = %s where tier = 'pool'"
PRODUCT = versions.MIGRATIONS


@dataclass
class Release:
    """A release that has more migrations than the product has."""

    folder: Path

    def add(self, upgrade: str = ADD, downgrade: str = DROP, tree: str = "tenant") -> str:
        """Put a migration behind the last one; return its number."""
        before = versions.newest_version(tree)
        revision = f"{int(before) + 1:04}"
        text = REVISION.format(revision=revision, before=before, upgrade=upgrade, downgrade=downgrade)
        (self.folder / tree / "versions" / f"{revision}_of_tests.py").write_text(text)
        versions.newest_version.cache_clear()
        return revision


@contextmanager
def use_release(folder: Path) -> Iterator[Release]:
    """Let this process have the migrations of a folder, a copy of the product's if it is empty."""
    if not folder.exists():
        shutil.copytree(PRODUCT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    _point_to(folder)
    try:
        yield Release(folder)
    finally:
        _point_to(PRODUCT)


def go_back(settings: Settings, servers: list[str]) -> None:
    """Bring pools and templates back to the product's newest version; called inside the release that they are at."""
    newest = {tree: newest_of_product(tree) for tree in ("tenancy", "control", "tenant")}
    for server in servers:
        address = DatabaseAddress(server)
        url = make_url(ServerUrls(settings).get(Login.OWNER, address)).set(drivername="postgresql+psycopg")
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            for tree, schema in reversed(versions.TREES if address == MAIN_DATABASE else versions.HOME_TREES):
                command.downgrade(tree_config(connection, Roles("tenantry"), tree, schema), newest[tree])
        engine.dispose()
        with psycopg.connect(ServerUrls(settings).get(Login.OWNER, address), autocommit=True) as owner:
            _drop_templates(owner)
    with psycopg.connect(ServerUrls(settings).get(Login.OWNER, MAIN_DATABASE)) as owner:
        owner.execute(POOLS, (newest["tenant"], newest["tenancy"]))


def newest_of_product(tree: str) -> str:
    """Return the version that a tree of the product leads to."""
    return max(path.name[:4] for path in (PRODUCT / tree / "versions").glob("[0-9]*.py"))


TEMPLATES = "select datname from pg_database where starts_with(datname, current_database() || '_home_')"


def _drop_templates(owner: psycopg.Connection) -> None:
    rows = owner.execute(TEMPLATES).fetchall()
    for (name,) in rows:
        owner.execute(f"alter database {name} with is_template false")
        drop_database(owner, name)


def _point_to(folder: Path) -> None:
    versions.MIGRATIONS = migrating.MIGRATIONS = folder
    versions.newest_version.cache_clear()
