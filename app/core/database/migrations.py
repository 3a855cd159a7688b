"""The way to the migrations for code that every process imports: Alembic comes along only when they are run."""

from __future__ import annotations

from pkgutil import resolve_name

from app.core.config import Settings
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import DatabaseAddress

# By their names: Alembic is 7 MB that every web worker would hold for nothing.
MIGRATE = "app.core.database.migrate:migrate"
MIGRATE_DATABASE = "app.core.database.migrate:migrate_database"
RENDER_UPGRADE = "app.core.database.migrate:render_upgrade"


def migrate(settings: Settings, *, homes: bool = True) -> None:
    """Bring the main database to the newest schema; see migrate.migrate."""
    resolve_name(MIGRATE)(settings, homes=homes)


def migrate_database(settings: Settings, address: DatabaseAddress) -> None:
    """Bring another database to the newest schema; see migrate.migrate_database."""
    resolve_name(MIGRATE_DATABASE)(settings, address)


def render_upgrade(roles: Roles, tree: str, version: str, to_version: str) -> str:
    """Return the statements that lead from one version to another; see migrate.render_upgrade."""
    script: str = resolve_name(RENDER_UPGRADE)(roles, tree, version, to_version)
    return script
