"""The operations of moves: their steps, in order, and what their end means for the move."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from app.core.actors import Actor
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import platform_scope
from app.moves import engine, services
from app.moves.engine import Route
from app.moves.kinds import MOVE, PURGE, RETURN
from app.moves.models import Move
from app.moves.queries import get_move
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation
from app.operations.services import note_progress

ACTOR = Actor.system("moves")


def check(given: StepInput) -> None:
    """Refuse what could not end well, and keep what was found."""
    findings = engine.check(_read(given).route)
    with platform_scope("move is checked"):
        services.note_findings(_id(given), findings=findings)


def copy(given: StepInput) -> None:
    """Fill the new home from one snapshot."""
    copied = engine.copy(_read(given).route, _note(given, "copy"))
    with platform_scope("move is copied"):
        services.note_copied(_id(given), row_count=copied.row_count, byte_count=copied.byte_count)


def follow(given: StepInput) -> None:
    """Follow what the tenant has written meanwhile."""
    engine.catch_up(_read(given).route, _note(given, "follow"))


def switch(given: StepInput) -> None:
    """Turn the route."""
    move = _read(given)
    _switch(given, move.route, row_count=move.row_count)


def tidy(given: StepInput) -> None:
    """Stop noting changes at the old home."""
    engine.tidy(_read(given).route)


def keep(given: StepInput) -> None:
    """Keep the old home for the way back."""
    services.keep_old_home(_id(given), actor=ACTOR)


def give_up(given: StepInput) -> None:
    """Return to the old home, which the tenant has never left."""
    move = _read(given)
    if not engine.give_up(move.route):
        left = f"{move.error or ''} What was copied to {move.to_place} is left there; the server is away.".strip()
        with platform_scope("move left something"):
            services.note_failure(move.id, error=left)


def fail(given: StepInput, error: str) -> None:
    """Keep the reason."""
    services.note_failure(_id(given), error=error)


def end_failed(given: StepInput) -> None:
    """Show the move as failed."""
    services.end_failed_move(_id(given), actor=ACTOR)


def follow_back(given: StepInput) -> None:
    """Follow at the old home what was written at the new one."""
    route = _read(given).way_back
    engine.expect(route)
    engine.catch_up(route, _note(given, "follow"))


def switch_back(given: StepInput) -> None:
    """Turn the route back."""
    _switch(given, _read(given).way_back, row_count=_read(given).row_count)


def stay(given: StepInput) -> None:
    """Let the tenant work on at the new home."""
    engine.stay(_read(given).way_back)


def purge_new(given: StepInput) -> None:
    """Drop the new home, which was left."""
    engine.tidy(_read(given).way_back)
    engine.purge(_read(given).way_back)


def end_return(given: StepInput) -> None:
    """Show the move as taken back."""
    services.end_return(_id(given), actor=ACTOR)


def purge_old(given: StepInput) -> None:
    """Drop the old home."""
    engine.purge(_read(given).route)


def end_purge(given: StepInput) -> None:
    """Show the move as finished."""
    services.end_purge(_id(given), actor=ACTOR)


def keep_waiting(given: StepInput, error: str) -> None:
    """Show the old home as kept, with the reason why that is still so."""
    services.note_failure(_id(given), error=error)
    services.keep_waiting(_id(given))


def init_operations() -> None:
    """Declare the operations."""
    register_operation(_move())
    register_operation(_return())
    register_operation(_purge())


def _move() -> OperationKind:
    return OperationKind(
        name=MOVE,
        title="Move home",
        steps=(
            _step("check", "Check both places", check),
            _step("copy", "Copy from one snapshot and verify", copy, give_up),
            _step("follow", "Follow what was written meanwhile", follow),
            _step("switch", "Fence, verify and turn the route", switch),
            _step("tidy", "Stop following", tidy),
            Step("keep", "Keep the old home for the way back", StepScope.PLATFORM, keep),
        ),
        on_failed=fail,
        on_compensated=end_failed,
        returns_before="switch",
    )


def _return() -> OperationKind:
    return OperationKind(
        name=RETURN,
        title="Move home back",
        steps=(
            _step("follow", "Follow what was written since", follow_back, stay),
            _step("switch", "Fence, verify and turn the route back", switch_back),
            _step("purge", "Drop the home that was left", purge_new),
            Step("end", "Show the move as taken back", StepScope.PLATFORM, end_return),
        ),
        on_failed=fail,
        on_compensated=lambda given: services.keep_waiting(_id(given)),
        returns_before="switch",
    )


def _purge() -> OperationKind:
    return OperationKind(
        name=PURGE,
        title="Drop the old home",
        steps=(
            _step("purge", "Drop the old home", purge_old),
            Step("end", "Show the move as finished", StepScope.PLATFORM, end_purge),
        ),
        on_failed=keep_waiting,
    )


def _step(
    name: str, title: str, run: Callable[[StepInput], None], undo: Callable[[StepInput], None] | None = None
) -> Step:
    return Step(name, title, StepScope.SERVER, run, undo)


def _switch(given: StepInput, route: Route, *, row_count: int) -> None:
    # Tried again, it begins with what was written since it last failed.
    if not engine.is_turned(route):
        engine.catch_up(route, _note(given, "switch"))
    switched = engine.turn(route, row_count=row_count)
    with platform_scope("move is switched"):
        services.note_switched(_id(given), pause_seconds=switched.pause_seconds, key_count=switched.key_count)


def _read(given: StepInput) -> Move:
    with platform_scope("move is read"), transaction():
        return get_move(_id(given))


def _note(given: StepInput, step: str) -> Callable[[str], None]:
    return partial(note_progress, given.operation_id, step)


def _id(given: StepInput) -> UUID:
    return UUID(given.payload["move_id"])
