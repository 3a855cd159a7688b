"""The one way to write: a transaction that use cases join and the outermost block commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.core.database.session import db
from app.core.tenancy.errors import ScopeError

Hook = Callable[[], None]
_commit_guards: list[Hook] = []


@dataclass
class _UnitOfWork:
    depth: int = 0
    doomed: bool = False
    hooks: list[Hook] = field(default_factory=list)


def on_commit_guard(guard: Hook) -> None:
    """Register a check that runs last inside every outermost transaction and may refuse it."""
    _commit_guards.append(guard)


def after_commit(hook: Hook) -> None:
    """Run the hook once the open transaction has committed; never if it does not.

    Errors: ScopeError outside a transaction.
    """
    work = _unit_of_work()
    if work.depth == 0:
        raise ScopeError("Nothing is being written; there is no commit to wait for.")
    work.hooks.append(hook)


@contextmanager
def transaction() -> Iterator[None]:
    """Join the scope's open transaction, or open one and commit it at the end of the block.

    Errors: ScopeError when an inner block failed and the outer one went on: half a use case never commits.
    """
    work = _unit_of_work()
    work.depth += 1
    try:
        yield
        if work.depth == 1:
            _commit(work)
    except BaseException:
        work.doomed = True
        raise
    finally:
        work.depth -= 1
        if work.depth == 0:
            _close(work)
    if work.depth == 0:
        for hook in work.hooks:
            hook()


def _commit(work: _UnitOfWork) -> None:
    if work.doomed:
        raise ScopeError("A part of this use case failed and was ignored; nothing was written.")
    db.session.flush()
    for guard in _commit_guards:
        guard()
    db.session.commit()


def _close(work: _UnitOfWork) -> None:
    if work.doomed:
        db.session.rollback()
    db.session().info.pop("unit_of_work", None)


def _unit_of_work() -> _UnitOfWork:
    work: _UnitOfWork = db.session().info.setdefault("unit_of_work", _UnitOfWork())
    return work
