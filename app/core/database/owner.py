"""The owner's own connections to any database, outside of every scope: for what is done to homes, not in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.core.config import Settings
from app.core.context_token import CONTEXT_LIFETIME_SECONDS, sign_context
from app.core.database.server_urls import CONNECT_ARGUMENTS, ServerUrls
from app.core.database.session import engines, registry
from app.core.errors import UnavailableError
from app.core.runtime import current_settings
from app.core.tenancy.context import BEGIN_IN_TENANT
from app.core.tenancy.ddl import Roles
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, Login, Placement, find_scope


@contextmanager
def owner_connection(address: DatabaseAddress = MAIN_DATABASE) -> Iterator[psycopg.Connection[Any]]:
    """Connect to a database as the owner, in autocommit, and close at the end of the block.

    Errors: ScopeError inside a scope; ConfigError in a process without that login; UnavailableError when the server
    does not answer, or the process's budget of connections is spent.
    """
    if find_scope() is not None:
        raise ScopeError("A connection of the owner's own is opened outside of every scope.")
    with engines().budget.open(partial(connect_as_owner, current_settings(), address)) as connection:
        yield connection


def connect_as_owner(settings: Settings, address: DatabaseAddress) -> psycopg.Connection[Any]:
    """Connect to a database as the owner, in autocommit, also from a thread that knows no application.

    Errors: ConfigError in a process without that login; UnavailableError when the server does not answer.
    """
    url = ServerUrls(settings).get(Login.OWNER, address)
    try:
        return psycopg.connect(url, **CONNECT_ARGUMENTS)
    except psycopg.OperationalError as error:
        raise UnavailableError(f"The database {address} does not answer; please try again shortly.") from error


@contextmanager
def owner_in_home(connection: psycopg.Connection[Any], tenant_id: UUID, placement: Placement) -> Iterator[None]:
    """Run one transaction of the owner under a tenant's signed context: FORCE shows it that tenant's rows alone.

    A fence does not stop it. It takes the tenant's shared lock, as every transaction in a home does.
    """
    expires = int(time.time()) + CONTEXT_LIFETIME_SECONDS - 5
    signed = sign_context(registry().context_key(placement.address), tenant_id, placement.epoch, expires)
    with connection.transaction():
        connection.execute(BEGIN_IN_TENANT, (signed, str(tenant_id)))
        yield


@contextmanager
def seeing_sessions(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Run one transaction in which the owner sees the runtime logins' sessions and may end them; it is rolled back."""
    roles = Roles(current_settings().role_prefix)
    with connection.transaction(force_rollback=True):
        # Only a member of a role may; rolled back, nobody has ever been one.
        for role in (roles.tenant, roles.platform):
            grant = sql.SQL("grant {} to {} with inherit true")
            connection.execute(grant.format(sql.Identifier(role), sql.Identifier(roles.owner)))
        yield
