"""Canaries are hidden: in the platform's scope no query of the ORM finds one, unless it asks for canaries."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria

from app.core.tenancy.scopes import find_scope
from app.tenants.models import Tenant

# The execution option by which a statement asks for canaries as well.
WITH_CANARIES: Final = "with_canaries"
_HIDDEN: Final = with_loader_criteria(Tenant, Tenant.is_canary.is_(False), include_aliases=True)


def hide_canaries(session_factory: Any) -> None:
    """Put the rule on every session that the factory makes: one place, so that no list can forget it."""
    if not event.contains(session_factory, "do_orm_execute", _hide):
        event.listen(session_factory, "do_orm_execute", _hide)


def _hide(state: ORMExecuteState) -> None:
    scope = find_scope()
    if not state.is_select or state.is_column_load or scope is None or scope.is_tenant:
        return
    if not state.execution_options.get(WITH_CANARIES):
        state.statement = state.statement.options(_HIDDEN)
