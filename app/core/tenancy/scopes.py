"""The scope of the running unit of work: one tenant's, the platform's, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from app.core.errors import StateError
from app.core.tenancy.errors import ScopeError


class Login(StrEnum):
    """The PostgreSQL logins; each role's name is the configured prefix, an underscore and this."""

    OWNER = "owner"
    PLATFORM = "platform"
    TENANT = "tenant"


class Tier(StrEnum):
    """How far a tenant's home is set apart."""

    DATABASE = "database"
    POOL = "pool"
    SCHEMA = "schema"


MAIN_SERVER = "main"


class DatabaseAddress(NamedTuple):
    """One database: a server's own, which its URL names, or that of a single home on it."""

    server: str = MAIN_SERVER
    name: str = ""

    def __str__(self) -> str:
        return f"{self.server}/{self.name}" if self.name else self.server


MAIN_DATABASE = DatabaseAddress()


@dataclass(frozen=True)
class Placement:
    """Where a tenant's home lies, and the epoch in which that is true; `database` is empty for a server's own."""

    server: str
    tier: Tier
    schema: str
    epoch: int
    database: str = ""

    @property
    def address(self) -> DatabaseAddress:
        return DatabaseAddress(self.server, self.database)


@dataclass(frozen=True)
class TenantRoute:
    """What the route from a host or an id to a tenant yields, and nothing else of the tenant."""

    tenant_id: UUID
    slug: str
    status: str
    placement: Placement | None
    home_state: str | None = None
    home_version: str | None = None

    def get_placement(self) -> Placement:
        """Return where the tenant's home lies.

        Errors: StateError for a tenant that has no place for one.
        """
        if self.placement is None:
            raise StateError(f"{self.slug} has no place for a home.")
        return self.placement


@dataclass(frozen=True, eq=False)
class Scope:
    """One entered scope; compared by identity, because each entry has a session of its own."""

    login: Login
    reason: str
    tenant_id: UUID | None = None
    placement: Placement | None = None
    # What is worth making once for a whole unit of work; it goes with the scope.
    kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def is_tenant(self) -> bool:
        return self.tenant_id is not None


_current: ContextVar[Scope | None] = ContextVar("tenantry_scope", default=None)
_leave_hooks: list[Callable[[], None]] = []


def find_scope() -> Scope | None:
    """Return the running scope, or None outside of one."""
    return _current.get()


def current_scope() -> Scope:
    """Return the running scope.

    Errors: ScopeError outside of one.
    """
    scope = _current.get()
    if scope is None:
        raise ScopeError("This unit of work runs in no scope.")
    return scope


def current_tenant_id() -> UUID:
    """Return the running scope's tenant.

    Errors: ScopeError outside a tenant's scope.
    """
    tenant_id = current_scope().tenant_id
    if tenant_id is None:
        raise ScopeError("This unit of work runs in the platform's scope and has no tenant.")
    return tenant_id


def on_leave(hook: Callable[[], None]) -> None:
    """Register what runs, still inside, each time a scope is left (the ORM session closes there)."""
    _leave_hooks.append(hook)


@contextmanager
def tenant_scope(route: TenantRoute, *, reason: str, login: Login = Login.TENANT) -> Iterator[Scope]:
    """Run the block as one tenant, with the tenant login or, in operations, the owner's.

    Errors: ScopeError inside another scope, for a tenant without a home, or for the platform login.
    """
    if route.placement is None:
        raise ScopeError("This tenant has no home yet.")
    if login is Login.PLATFORM:
        raise ScopeError("The platform login never works for a tenant.")
    with _entered(Scope(login, reason, route.tenant_id, route.placement)) as scope:
        yield scope


@contextmanager
def platform_scope(reason: str) -> Iterator[Scope]:
    """Run the block for the platform: the control plane, and no tenant's home.

    Errors: ScopeError inside another scope.
    """
    with _entered(Scope(Login.PLATFORM, reason)) as scope:
        yield scope


@contextmanager
def _entered(scope: Scope) -> Iterator[Scope]:
    outer = _current.get()
    if outer is not None:
        raise ScopeError(f"Scope “{scope.reason}” was entered inside “{outer.reason}”; scopes never nest.")
    token = _current.set(scope)
    try:
        yield scope
    finally:
        try:
            for hook in _leave_hooks:
                hook()
        finally:
            _current.reset(token)
