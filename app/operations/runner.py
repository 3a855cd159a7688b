"""The runner: takes an operation from wherever it stands to its end, one step and one scope at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from app.audit.services import unaudited
from app.core import clock
from app.core.database.session import db, registry
from app.core.database.transactions import transaction
from app.core.errors import StateError
from app.core.tenancy.scopes import Login, TenantRoute, platform_scope, tenant_scope
from app.operations import queries
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, get_operation_kind
from app.operations.models import Operation, OperationMarker, OperationState, OperationStep, StepState


@unaudited("the start and the outcome are events of the services that ask for them")
def run_operation(operation_id: UUID) -> None:
    """Run what is left of an operation; called again after a kill, it goes on where the markers end.

    Errors: whatever the step raised; its text is on the step, and the job's next attempt tries it again.
    """
    with platform_scope("operation begins"):
        operation = _begin(operation_id)
        if operation is None:
            return
        kind, given = get_operation_kind(operation.kind), _input_of(operation)
        done = {step.name for step in queries.list_steps(operation_id) if step.state == StepState.DONE}
        taking_back = operation.state == OperationState.COMPENSATING
    if taking_back:
        _take_back(kind, given, done)
        return
    for step in kind.steps:
        if step.name not in done:
            _run_step(step, given)
    with platform_scope("operation ends"), transaction():
        _end(queries.get_operation(operation_id, lock=True), OperationState.DONE)


@unaudited("the feature's own hook records what the failure means")
def fail_operation(operation_id: UUID, error: str) -> None:
    """End an operation whose job has no attempt left; runs in the platform's scope."""
    with transaction():
        operation = queries.get_operation(operation_id, lock=True)
        _end(operation, OperationState.FAILED, error)
        kind = get_operation_kind(operation.kind)
        if kind.on_failed is not None:
            kind.on_failed(_input_of(operation), error)


def _begin(operation_id: UUID) -> Operation | None:
    with transaction():
        operation = queries.get_operation(operation_id, lock=True)
        if operation.is_final:
            return None
        if operation.state == OperationState.PENDING:
            operation.state = OperationState.RUNNING
        operation.started_at = operation.started_at or clock.now()
        return operation


def _run_step(step: Step, given: StepInput) -> None:
    _show(step, given, StepState.RUNNING)
    try:
        if step.scope is StepScope.PLATFORM:
            _run_beside_control(step, given)
        else:
            _run_in_home(step, given)
            _show(step, given, StepState.DONE)
    except Exception as error:
        _show(step, given, StepState.FAILED, error=f"{type(error).__name__}: {error}")
        raise


def _run_beside_control(step: Step, given: StepInput) -> None:
    with platform_scope(f"step {step.name}"), transaction():
        step.run(given)
        _set_step(step.name, given, StepState.DONE)


def _run_in_home(step: Step, given: StepInput) -> None:
    with _home_scope(step, given), transaction():
        if queries.has_marker(given.operation_id, step.name):
            return
        step.run(given)
        # The marker's key refuses a second commit by a worker that was thought dead.
        db.session.add(OperationMarker(operation_id=given.operation_id, step=step.name))


@contextmanager
def _home_scope(step: Step, given: StepInput) -> Iterator[None]:
    login = Login.OWNER if step.scope is StepScope.OWNER else Login.TENANT
    with tenant_scope(_route_of(given), reason=f"step {step.name}", login=login):
        yield


def _route_of(given: StepInput) -> TenantRoute:
    route = registry().find_route(given.tenant_id) if given.tenant_id else None
    if route is None:
        raise StateError("This operation's tenant is gone.")
    return route


def _take_back(kind: OperationKind, given: StepInput, done: set[str]) -> None:
    for step in reversed(kind.steps):
        if step.name in done:
            _undo_step(step, given)
    with platform_scope("operation taken back"), transaction():
        operation = queries.get_operation(given.operation_id, lock=True)
        _end(operation, OperationState.COMPENSATED)
        if kind.on_compensated is not None:
            kind.on_compensated(given)


def _undo_step(step: Step, given: StepInput) -> None:
    if step.undo is None:
        _show(step, given, StepState.COMPENSATED)
    elif step.scope is StepScope.PLATFORM:
        with platform_scope(f"undo {step.name}"), transaction():
            step.undo(given)
            _set_step(step.name, given, StepState.COMPENSATED)
    else:
        with _home_scope(step, given), transaction():
            step.undo(given)
        _show(step, given, StepState.COMPENSATED)


def _show(step: Step, given: StepInput, state: StepState, *, error: str | None = None) -> None:
    with platform_scope(f"step {step.name} is {state}"), transaction():
        _set_step(step.name, given, state, error=error)


def _set_step(name: str, given: StepInput, state: StepState, *, error: str | None = None) -> None:
    row = db.session.get_one(OperationStep, (given.operation_id, name))
    operation = queries.get_operation(given.operation_id, lock=True)
    row.state, row.error = state, error
    if state is StepState.RUNNING:
        row.started_at = clock.now()
    else:
        row.finished_at = clock.now()
    if state is StepState.DONE:
        operation.done_count += 1
    operation.error = error


def _end(operation: Operation, state: OperationState, error: str | None = None) -> None:
    operation.state, operation.error, operation.finished_at = state, error, clock.now()


def _input_of(operation: Operation) -> StepInput:
    return StepInput(operation.id, operation.tenant_id, operation.payload)
