"""A transaction of a tenant writes its home or the control plane, never both: they may lie on two servers.

The rule holds in the pool too, where both lie in one database, so that no use case works in one tier alone.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Mapper, ORMExecuteState, Session, SessionTransaction, object_mapper

from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import current_scope

_WRITTEN = "written_side"


def install_one_database(session_factory: Any) -> None:
    """Put the rule on every session that the factory makes."""
    event.listen(session_factory, "before_flush", _check_flush)
    event.listen(session_factory, "do_orm_execute", _check_statement)
    event.listen(session_factory, "after_transaction_end", _forget)


def is_control(mapper: Mapper[Any]) -> bool:
    """Tell whether a mapped table lies in the control plane."""
    table: Any = mapper.local_table
    return bool(table.schema == "control")


def _check_flush(session: Session, _flush_context: Any, _instances: Any) -> None:
    for row in (*session.new, *session.deleted, *(row for row in session.dirty if session.is_modified(row))):
        _note_write(session, object_mapper(row))


def _check_statement(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and state.bind_mapper is not None:
        _note_write(state.session, state.bind_mapper)


def _note_write(session: Session, mapper: Mapper[Any]) -> None:
    if not current_scope().is_tenant:
        return
    side = "control" if is_control(mapper) else "home"
    if session.info.setdefault(_WRITTEN, side) != side:
        raise ScopeError("One transaction would write a tenant's home and the control plane; they may be two servers.")


def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_WRITTEN, None)
