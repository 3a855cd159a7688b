"""Which versions of the schemas this release wants, known without Alembic: 7 MB that no web worker needs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import psycopg

from app.core.config import Settings
from app.core.database.server_urls import connect_arguments, login_url
from app.core.tenancy.scopes import Login

# An empty home of the newest version, from which new ones are copied; no login but the owner's ever enters it.
TEMPLATE_SCHEMA = "home_template"
MIGRATIONS = Path(__file__).parents[3] / "migrations"
# Tree and the schema that it fills; control's policies call functions of tenancy, homes call both.
TREES = (("tenancy", "tenancy"), ("control", "control"), ("tenant", "pool"), ("tenant", TEMPLATE_SCHEMA))
# What a server has beside the main one: homes, and no control plane.
HOME_TREES = (("tenancy", "tenancy"), ("tenant", "pool"))
# Files are numbered without gaps, and each revision is named by its number: kept by a test.
NUMBER_DIGITS = 4


def schema_check(settings: Settings) -> list[str]:
    """Return the trees whose schema is not this release's; empty when all are.

    Errors: psycopg.Error when the database does not answer.
    """
    with psycopg.connect(login_url(settings, Login.PLATFORM), **connect_arguments(settings)) as connection:
        rows = connection.execute("select tree, version from tenancy.schema_versions()").fetchall()
    found = dict(rows)
    return [tree for tree in dict(TREES) if found.get(tree) != newest_version(tree)]


@cache
def newest_version(tree: str) -> str:
    """Return the version to which a tree's migrations lead: the number of its last file."""
    return max(path.name[:NUMBER_DIGITS] for path in (MIGRATIONS / tree / "versions").glob("[0-9]*.py"))
