"""The runner: takes an operation from wherever it stands to its end, one step and one scope at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert

from app.audit.services import unaudited
from app.core import clock
from app.core.database.owner import owner_connection
from app.core.database.session import db, registry
from app.core.database.transactions import transaction
from app.core.errors import StateError, TenantryError
from app.core.jobs import describe_error
from app.core.tenancy.scopes import Login, Scope, TenantRoute, current_tenant_id, platform_scope, tenant_scope
from app.operations import queries
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, get_operation_kind
from app.operations.models import Operation, OperationMarker, OperationState, StepState
from app.operations.services import return_by_itself

log = structlog.get_logger()


class OperationEndedError(TenantryError):
    """The operation was ended elsewhere; this runner has nothing more to do."""


@unaudited("the start and the outcome are events of the services that ask for them")
def run_operation(operation_id: UUID) -> None:
    """Run what is left of an operation; called again after a kill, it goes on where the markers end.

    Two runners of one operation wait for each other at each step, and every effect commits once.

    Errors: whatever the step raised; its text is on the step, and the job's next attempt tries it again.
    """
    with platform_scope("operation begins"):
        operation = _begin(operation_id)
        if operation is None:
            return
        kind, given = get_operation_kind(operation.kind), _input_of(operation)
        states = {step.name: StepState(step.state) for step in queries.list_steps(operation_id)}
        go = _take_back if operation.takes_back else _go_forward
    try:
        go(kind, given, states)
    except OperationEndedError:
        log.info("operation_ended_elsewhere", operation_id=str(operation_id))


@unaudited("the feature's own hook records what the failure means")
def fail_operation(operation_id: UUID, error: str) -> None:
    """End an operation whose job has no attempt left; runs in the platform's scope.

    One that has ended already stays as it is: its worker died between the last step and its own row.
    """
    with transaction():
        operation = queries.get_operation(operation_id, lock=True)
        if operation.is_final:
            return
        kind = get_operation_kind(operation.kind)
        if kind.on_failed is not None and not operation.takes_back:
            kind.on_failed(_input_of(operation), error)
        if not return_by_itself(operation):
            operation.end(OperationState.FAILED, clock.now(), error)


def _begin(operation_id: UUID) -> Operation | None:
    with transaction():
        operation = queries.get_operation(operation_id, lock=True)
        if operation.is_final:
            return None
        operation.begin(clock.now())
        return operation


def _go_forward(kind: OperationKind, given: StepInput, states: dict[str, StepState]) -> None:
    for step in kind.steps:
        if states[step.name] is not StepState.DONE:
            _run_step(step, given)
    with platform_scope("operation ends"):
        _end(given, OperationState.DONE)


def _run_step(step: Step, given: StepInput) -> None:
    _show(step, given, StepState.RUNNING)
    try:
        if step.scope is StepScope.PLATFORM:
            _run_beside_control(step, given)
        elif step.scope is StepScope.SERVER:
            _run_on_server(step, given)
        else:
            _run_in_home(step, given)
            _show(step, given, StepState.DONE)
    except OperationEndedError:
        raise
    except Exception as error:
        _show(step, given, StepState.FAILED, error=describe_error(error))
        raise


def _run_beside_control(step: Step, given: StepInput) -> None:
    with platform_scope(f"step {step.name}"), transaction():
        # Whoever else runs this operation waits here, and then finds the step done.
        _get_open(given)
        if queries.get_step(given.operation_id, step.name).state == StepState.DONE:
            return
        step.run(given)
        _set_step(step.name, given, StepState.DONE)


def _run_in_home(step: Step, given: StepInput) -> None:
    with _home_scope(step, given), transaction():
        if _mark(given, step.name):
            step.run(given)


def _run_on_server(step: Step, given: StepInput) -> None:
    with _one_runner(given):
        if _state_of(step, given) != StepState.DONE:
            step.run(given)
            _show(step, given, StepState.DONE)


def _take_back(kind: OperationKind, given: StepInput, states: dict[str, StepState]) -> None:
    for step in reversed(kind.steps):
        # A step that was begun may have had its effect, even where its end was never shown.
        if states[step.name] not in (StepState.PENDING, StepState.COMPENSATED):
            _undo_step(step, given)
    with platform_scope("operation taken back"), transaction():
        if _end(given, OperationState.COMPENSATED) and kind.on_compensated is not None:
            kind.on_compensated(given)


def _undo_step(step: Step, given: StepInput) -> None:
    if step.scope is StepScope.PLATFORM:
        _undo_beside_control(step, given)
        return
    if step.scope is StepScope.SERVER:
        _undo_on_server(step, given)
        return
    if step.undo is not None and _has_home(step, given):
        _undo_in_home(step, given)
    _show(step, given, StepState.COMPENSATED)


def _undo_beside_control(step: Step, given: StepInput) -> None:
    with platform_scope(f"undo {step.name}"), transaction():
        _get_open(given)
        # Its effect and its state commit together: in any other state there is nothing to undo.
        if step.undo is not None and queries.get_step(given.operation_id, step.name).state == StepState.DONE:
            step.undo(given)
        _set_step(step.name, given, StepState.COMPENSATED)


def _undo_on_server(step: Step, given: StepInput) -> None:
    with _one_runner(given):
        if step.undo is not None and _state_of(step, given) != StepState.COMPENSATED:
            step.undo(given)
        _show(step, given, StepState.COMPENSATED)


@contextmanager
def _one_runner(given: StepInput) -> Iterator[None]:
    """Hold off any other runner of this operation; a killed process lets go by dying."""
    name = f"operation/{given.operation_id}"
    with owner_connection() as connection:
        # The session's and not a transaction's, which would keep vacuum, and an index that is built concurrently,
        # waiting for as long as the step takes.
        connection.execute("select pg_advisory_lock(hashtextextended(%s, 0))", (name,))
        yield


def _state_of(step: Step, given: StepInput) -> str:
    with platform_scope(f"look at step {step.name}"), transaction():
        _get_open(given)
        return queries.get_step(given.operation_id, step.name).state


def _undo_in_home(step: Step, given: StepInput) -> None:
    assert step.undo is not None  # noqa: S101  # Its caller has looked.
    with _home_scope(step, given), transaction():
        if queries.has_marker(given.operation_id, step.name) and _mark(given, f"undo {step.name}"):
            step.undo(given)


def _mark(given: StepInput, step: str) -> bool:
    """Write the marker of an effect before the effect; tell whether the effect is still to come.

    A second runner waits at the marker's key for the first one's end, so the two never work at once.
    """
    values = {"tenant_id": current_tenant_id(), "operation_id": given.operation_id, "step": step}
    row = insert(OperationMarker).values(values).on_conflict_do_nothing().returning(OperationMarker.step)
    return db.session.scalar(row) is not None


def _home_scope(step: Step, given: StepInput) -> AbstractContextManager[Scope]:
    login = Login.OWNER if step.scope is StepScope.OWNER else Login.TENANT
    return tenant_scope(_route_of(given), reason=f"step {step.name}", login=login)


def _has_home(step: Step, given: StepInput) -> bool:
    # Without a home the tenant login is refused, and there is nothing in it to take back.
    return step.scope is StepScope.OWNER or _route_of(given).home_state not in (None, "purged")


def _route_of(given: StepInput) -> TenantRoute:
    route = registry().find_route(given.tenant_id) if given.tenant_id else None
    if route is None:
        raise StateError("This operation's tenant is gone.")
    return route


def _show(step: Step, given: StepInput, state: StepState, *, error: str | None = None) -> None:
    with platform_scope(f"step {step.name} is {state}"), transaction():
        _set_step(step.name, given, state, error=error)


def _set_step(name: str, given: StepInput, state: StepState, *, error: str | None = None) -> None:
    operation = _get_open(given)
    queries.get_step(given.operation_id, name).change(state, clock.now(), error)
    operation.error = error
    operation.done_count = queries.count_done_steps(given.operation_id)


def _get_open(given: StepInput) -> Operation:
    operation = queries.get_operation(given.operation_id, lock=True)
    if operation.is_final:
        raise OperationEndedError("Another runner has brought this operation to its end.")
    return operation


def _end(given: StepInput, state: OperationState) -> bool:
    with transaction():
        operation = queries.get_operation(given.operation_id, lock=True)
        if operation.is_final:
            return False
        operation.end(state, clock.now())
        return True


def _input_of(operation: Operation) -> StepInput:
    return StepInput(operation.id, operation.tenant_id, operation.payload)
