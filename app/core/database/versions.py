"""Which versions of the schemas this release wants, known without Alembic: 7 MB that no web worker needs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import psycopg

from app.core.config import Settings
from app.core.database.server_urls import CONNECT_ARGUMENTS, login_url
from app.core.tenancy.ddl import POOL
from app.core.tenancy.scopes import Login

# An empty home of the newest version, from which new ones are copied; no login but the owner's ever enters it.
TEMPLATE_SCHEMA = "home_template"
POOL_SCHEMA = POOL
# This release serves homes of its newest version and of so many before it: those that no run has come to yet.
VERSIONS_SERVED_BEFORE = 1
# The advisory lock that a migrate command holds in the database on which it works.
MIGRATION_LOCK = 0x7E4A47
MIGRATIONS = Path(__file__).parents[3] / "migrations"
# Tree and the schema that it fills; control's policies call functions of tenancy, homes call both.
TREES = (("tenancy", "tenancy"), ("control", "control"), ("tenant", POOL_SCHEMA), ("tenant", TEMPLATE_SCHEMA))
# What a server has beside the main one: homes, and no control plane.
HOME_TREES = (("tenancy", "tenancy"), ("tenant", POOL_SCHEMA))
# Files are numbered without gaps, and each revision is named by its number: kept by a test.
NUMBER_DIGITS = 4


def schema_check(settings: Settings) -> list[str]:
    """Return the trees whose schema this release cannot work with; empty when it can with all.

    A newer control plane is one: its migrations suit the release before them.

    Errors: psycopg.Error when the database does not answer.
    """
    with psycopg.connect(login_url(settings, Login.PLATFORM), **CONNECT_ARGUMENTS) as connection:
        rows = connection.execute("select tree, version from tenancy.schema_versions()").fetchall()
    found = dict(rows)
    behind = [tree for tree in ("tenancy", "control") if found.get(tree, "") < newest_version(tree)]
    return behind if serves(found.get("tenant")) else [*behind, "tenant"]


def serves(home_version: str | None) -> bool:
    """Tell whether this release works with homes of a version; one that nobody knows is none."""
    if home_version is None:
        return False
    newest = int(newest_version("tenant"))
    return newest - VERSIONS_SERVED_BEFORE <= int(home_version) <= newest


@cache
def newest_version(tree: str) -> str:
    """Return the version to which a tree's migrations lead: the number of its last file."""
    return max(path.name[:NUMBER_DIGITS] for path in (MIGRATIONS / tree / "versions").glob("[0-9]*.py"))
