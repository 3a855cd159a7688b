"""Wall 1: the ORM adds the tenant to every statement and refuses rows of another tenant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import SelectBase, Table, event, inspect
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Alias

from app.core.database.models import HomeRecord, TenantOwned
from app.core.tenancy.errors import CrossTenantError, ScopeError
from app.core.tenancy.scopes import current_scope, find_scope

KEPT_CRITERIA: Final = 1024


def install_criteria(session_factory: Any) -> None:
    """Put wall 1 on every session that the factory makes."""
    event.listen(session_factory, "do_orm_execute", add_tenant_criterion)
    event.listen(session_factory, "before_attach", check_tenant_of_row)
    event.listen(session_factory, "before_flush", check_tenant_of_rows)


def add_tenant_criterion(state: ORMExecuteState) -> None:
    """Add the running tenant to a select, update or delete; keep the platform out of homes.

    Errors: ScopeError outside a scope, when the platform's scope reads a home's table, or for a statement of which
    a part would go unfiltered; CrossTenantError for bulk parameters that name another tenant.
    """
    scope = current_scope()
    tenant_id = scope.tenant_id
    if tenant_id is None:
        for mapper in state.all_mappers:
            _refuse_home(mapper.class_)
        return
    if state.is_insert or state.is_update or state.is_delete:
        _refuse_foreign_parameters(state, tenant_id)
        _refuse_unfiltered(state)
    if state.is_insert:
        return
    state.statement = state.statement.options(_criterion_of(tenant_id))


def check_tenant_of_row(_session: Session, row: object) -> None:
    """Refuse a foreign row as soon as it joins a session: refreshed or lazy-loaded there, it would be read.

    Errors: CrossTenantError for a row that has, or was loaded with, another tenant; ScopeError for a home's row in
    the platform's scope.
    """
    scope = find_scope()
    if scope is None:
        return  # Whatever this session is asked to do next is refused.
    if scope.tenant_id is None:
        _refuse_home(type(row))
    elif isinstance(row, TenantOwned) and _tenants_of(row) - {scope.tenant_id}:
        raise _foreign_row(row)


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
                raise _foreign_row(row)


@lru_cache(maxsize=KEPT_CRITERIA)
def _criterion_of(tenant_id: UUID) -> LoaderCriteriaOption:
    # Made once a tenant and never changed by its use: making it anew costs each statement 50 µs.
    return with_loader_criteria(TenantOwned, lambda cls: cls.tenant_id == tenant_id, include_aliases=True)


def _refuse_foreign_parameters(state: ORMExecuteState, tenant_id: UUID) -> None:
    parameters: Any = state.parameters or {}
    for row in parameters if isinstance(parameters, list) else [parameters]:
        if row.get("tenant_id", tenant_id) != tenant_id:
            raise CrossTenantError("A bulk statement names another tenant than this scope's.")


def _refuse_unfiltered(state: ORMExecuteState) -> None:
    # SQLAlchemy adds the criterion neither to a SELECT inside an INSERT nor to an UPDATE's or DELETE's further tables;
    # outside a SELECT an INSERT reads no table but its own, as `excluded`.
    statement: Any = state.statement
    statement = statement.element if state.is_from_statement else statement
    for element in _outside_subqueries(statement):
        if isinstance(element, SelectBase):
            if state.is_insert:
                raise ScopeError("An INSERT from a SELECT would read every tenant's rows; load them first.")
        elif not state.is_insert and _is_of_another_table(element, statement.table):
            raise ScopeError("A further table of an UPDATE or DELETE would go unfiltered; put it into a subquery.")


def _outside_subqueries(statement: Any) -> Iterator[Any]:
    stack = [*statement.get_children()]
    while stack:
        element = stack.pop()
        yield element
        if not isinstance(element, SelectBase):
            stack.extend(element.get_children())


def _is_of_another_table(element: Any, target: Any) -> bool:
    table = getattr(element, "table", None) if isinstance(element, ColumnElement) else None
    if isinstance(table, Alias):
        return isinstance(table.element, Table)
    return isinstance(table, Table) and table.key != target.key


def _tenants_of(row: TenantOwned) -> set[UUID]:
    state: Any = inspect(row)
    loaded = {
        value
        for column, value in zip(state.mapper.primary_key, state.identity or (), strict=False)
        if column.name == "tenant_id"
    }
    present = state.dict.get("tenant_id")
    return loaded if present is None else loaded | {present}


def _foreign_row(row: TenantOwned) -> CrossTenantError:
    return CrossTenantError(f"A {type(row).__name__} of another tenant was used in this tenant's scope.")


def _refuse_home(cls: type[Any]) -> None:
    if issubclass(cls, HomeRecord):
        raise ScopeError(f"The platform's scope never touches {cls.__name__}; it lies in tenants' homes.")
