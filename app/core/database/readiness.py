"""Whether the logins that this process was given may be used at all, asked before traffic is let in."""

from __future__ import annotations

import psycopg

from app.core.config import Settings
from app.core.database.server_urls import CONNECT_ARGUMENTS, login_url
from app.core.tenancy.boot_check import refuse_powerful_login, refuse_unsafe_path
from app.core.tenancy.scopes import Login


def check_logins(settings: Settings) -> None:
    """Check both runtime logins and the way to the database, as each engine does again at its first connection.

    Errors: ConfigError for a login that could step over the walls, or a pooler that tears transactions apart;
    psycopg.Error when the database does not answer.
    """
    for login in (Login.PLATFORM, Login.TENANT):
        with psycopg.connect(login_url(settings, login), **CONNECT_ARGUMENTS) as connection:
            refuse_powerful_login(connection)
            refuse_unsafe_path(connection)
