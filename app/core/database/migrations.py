"""The way to the migrations for code that every process imports: Alembic comes along only when they are run."""

from __future__ import annotations

from pkgutil import resolve_name

from app.core.config import Settings
from app.core.tenancy.scopes import DatabaseAddress

# By their names: Alembic is 7 MB that every web worker would hold for nothing.
MIGRATE = "app.core.database.migrate:migrate"
MIGRATE_DATABASE = "app.core.database.migrate:migrate_database"


def migrate(settings: Settings) -> None:
    """Bring the main database to the newest schema; see migrate.migrate."""
    resolve_name(MIGRATE)(settings)


def migrate_database(settings: Settings, address: DatabaseAddress) -> None:
    """Bring another database to the newest schema; see migrate.migrate_database."""
    resolve_name(MIGRATE_DATABASE)(settings, address)
