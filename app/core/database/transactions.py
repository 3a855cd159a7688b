"""The one way to write: a transaction that use cases join and the outermost block commits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from app.core.database.session import db
from app.core.errors import UnavailableError
from app.core.tenancy.errors import ScopeError

LOOK_SECONDS = 5.0
LOOK_PAUSE_SECONDS = 0.25
LOOKS_IN_VAIN = 2  # A server that has just lost its client may be committing still, so the first look may be too early.
Hook = Callable[[], None]
_commit_guards: list[Hook] = []


@dataclass
class _UnitOfWork:
    depth: int = 0
    doomed: bool = False
    hooks: list[Hook] = field(default_factory=list)
    witness: Select[Any] | None = None


def on_commit_guard(guard: Hook) -> None:
    """Register a check that runs last inside every outermost transaction and may refuse it."""
    _commit_guards.append(guard)


def after_commit(hook: Hook) -> None:
    """Run the hook once the open transaction has committed; never if it does not.

    Errors: ScopeError outside a transaction.
    """
    _open_work().hooks.append(hook)


def add_witness(column: InstrumentedAttribute[UUID], key: UUID) -> None:
    """Name a row that only the open transaction writes: if it is there, all of the transaction is.

    The first one is kept. By it a commit is looked up whose answer was lost.

    Errors: ScopeError outside a transaction.
    """
    work = _open_work()
    if work.witness is None:
        work.witness = select(column).where(column == key)


@contextmanager
def transaction() -> Iterator[None]:
    """Join the scope's open transaction, or open one and commit it at the end of the block.

    Errors: ScopeError when an inner block failed and the outer one went on: half a use case never commits;
    UnavailableError when the database went away, also when it is not known whether it had committed.
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
    try:
        db.session.commit()
    except UnavailableError as error:
        if work.witness is None:
            raise
        _look_up(work.witness, error)


def _look_up(witness: Select[Any], cause: UnavailableError) -> None:
    # Closing keeps what rows hold, where a rollback would expire them and make new ones transient; if the transaction
    # has committed, the use case goes on with them as after any commit.
    rows = list(db.session)
    db.session.close()
    if not _is_written(witness):
        # Without Retry-After: a program that sends the same again unseen could do it twice.
        raise UnavailableError(
            "The connection to the database broke while this was being saved, so it may or may not be saved. "
            "Please look before you repeat it.",
            retry_after_seconds=None,
        ) from cause
    db.session.add_all(rows)


def _is_written(witness: Select[Any]) -> bool:
    """Tell whether the witness is there, asked on new connections while the server may be coming back."""
    deadline, looks = time.monotonic() + LOOK_SECONDS, 0
    while looks < LOOKS_IN_VAIN and time.monotonic() < deadline:
        with suppress(UnavailableError):
            if db.session.scalar(witness) is not None:
                db.session.close()
                return True
            looks += 1
        db.session.close()
        time.sleep(LOOK_PAUSE_SECONDS)
    return False


def _close(work: _UnitOfWork) -> None:
    if work.doomed:
        db.session.rollback()
    db.session().info.pop("unit_of_work", None)


def _open_work() -> _UnitOfWork:
    work = _unit_of_work()
    if work.depth == 0:
        raise ScopeError("Nothing is being written; there is no commit to wait for.")
    return work


def _unit_of_work() -> _UnitOfWork:
    work: _UnitOfWork = db.session().info.setdefault("unit_of_work", _UnitOfWork())
    return work
