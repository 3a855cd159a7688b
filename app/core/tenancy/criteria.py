"""Wall 1: the ORM adds the tenant to every statement and refuses rows of another tenant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from app.core.database.models import HomeRecord, TenantOwned
from app.core.tenancy.errors import CrossTenantError, ScopeError
from app.core.tenancy.scopes import current_scope


def install_criteria(session_factory: Any) -> None:
    """Put wall 1 on every session that the factory makes."""
    event.listen(session_factory, "do_orm_execute", add_tenant_criterion)
    event.listen(session_factory, "before_flush", check_tenant_of_rows)


def add_tenant_criterion(state: ORMExecuteState) -> None:
    """Add the running tenant to a select, update or delete; keep the platform out of homes.

    Errors: ScopeError outside a scope, or when the platform's scope reads a home's table.
    """
    scope = current_scope()
    tenant_id = scope.tenant_id
    if tenant_id is None:
        for mapper in state.all_mappers:
            _refuse_home(mapper.class_)
        return
    if state.is_insert or state.is_column_load:
        return
    state.statement = state.statement.options(
        with_loader_criteria(TenantOwned, lambda cls: cls.tenant_id == tenant_id, include_aliases=True)
    )


def check_tenant_of_rows(session: Session, _flush_context: Any, _instances: Any) -> None:
    """Stamp new rows with the running tenant and refuse rows that carry another.

    Errors: CrossTenantError for a foreign row; ScopeError for a home's row in the platform's scope.
    """
    tenant_id = current_scope().tenant_id
    for row in (*session.new, *session.dirty, *session.deleted):
        if tenant_id is None:
            _refuse_home(type(row))
        elif isinstance(row, TenantOwned):
            if row.tenant_id is None:
                row.tenant_id = tenant_id
            elif row.tenant_id != tenant_id:
                raise CrossTenantError(f"A {type(row).__name__} of another tenant was used in this tenant's scope.")


def _refuse_home(cls: type[Any]) -> None:
    if issubclass(cls, HomeRecord):
        raise ScopeError(f"The platform's scope never touches {cls.__name__}; it lies in tenants' homes.")
