"""An operation goes through its steps, each in its own scope, and ends."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.audit.models import ControlAuditEvent
from app.core.errors import ConflictError
from app.core.ids import new_id
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation
from app.operations.runner import fail_operation, run_operation
from app.operations.services import start_operation
from app.web.hosts import Portal
from tests.factories import actions_of, rows_of
from tests.jobs.rows import job_rows
from tests.operations.toys import ADA, HOMELESS, SCOPES, TOY, effects, get, start, step, steps_of
from tests.tenant_rows import set_home
from tests.work import run_jobs

ALL = list(SCOPES)


def in_app(app: Portal, work: Callable[[], object]) -> None:
    with app.app_context(), platform_scope("test"):
        work()


def test_every_step_has_its_effect_once_and_in_order(acme: TenantRoute, globex: TenantRoute) -> None:
    operation_id = start(acme)
    run_jobs()
    operation = get(operation_id)
    assert (effects(acme), effects(globex)) == (ALL, [])
    assert (operation.state, operation.done_count, operation.error) == ("done", 6, None)
    assert operation.finished_at is not None
    assert {step.state for step in steps_of(operation_id)} == {"done"}


def test_a_start_is_an_event_of_the_tenant(acme: TenantRoute) -> None:
    operation_id = start(acme)
    (event,) = rows_of(ControlAuditEvent)
    assert (event.action, event.target_id, event.target_label) == ("operation.started", operation_id, "Toy")
    assert (event.tenant_id, event.actor_label) == (acme.tenant_id, "Ada")


def test_a_tenant_has_one_open_operation_at_a_time(acme: TenantRoute, globex: TenantRoute) -> None:
    start(acme)
    start(globex)
    with pytest.raises(ConflictError):
        start(acme)
    run_jobs()
    start(acme)


def test_an_operation_of_nobodys_is_no_conflict_but_an_error(app: Portal) -> None:
    with platform_scope("test"), pytest.raises(Exception, match="fk_operations_tenant_id_tenants"):
        start_operation(TOY, tenant_id=new_id(), payload={}, actor=ADA)


def test_an_operation_of_the_platform_needs_no_tenant(app: Portal) -> None:
    register_operation(OperationKind("toy.empty", "Empty", ()))
    with platform_scope("test"):
        operation_id = start_operation("toy.empty", tenant_id=None, payload={}, actor=ADA)
    run_jobs()
    assert get(operation_id).state == "done"


def test_an_operation_that_has_ended_does_nothing_when_run_again(acme: TenantRoute) -> None:
    operation_id = start(acme)
    run_jobs()
    run_operation(operation_id)
    assert effects(acme) == ALL


def test_a_late_failure_does_not_undo_an_end(acme: TenantRoute) -> None:
    operation_id = start(acme)
    run_jobs()
    with platform_scope("test"):
        fail_operation(operation_id, "the worker died after the last step")
    assert (get(operation_id).state, effects(acme)) == ("done", ALL)


def test_two_runners_at_once_have_every_effect_once(app: Portal, acme: TenantRoute) -> None:
    operation_id = start(acme)
    at_once = threading.Barrier(3)
    errors: list[Exception] = []

    def run() -> None:
        with app.app_context():
            at_once.wait()
            try:
                run_operation(operation_id)
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    _ = [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert (errors, sorted(effects(acme))) == ([], sorted(ALL))
    assert (get(operation_id).state, get(operation_id).done_count) == ("done", 6)


@pytest.mark.parametrize("scope", StepScope)
def test_a_runner_stops_when_the_operation_was_ended_elsewhere(
    app: Portal, acme: TenantRoute, scope: StepScope
) -> None:
    def end(given: StepInput) -> None:
        thread = threading.Thread(target=lambda: in_app(app, lambda: fail_operation(given.operation_id, "elsewhere")))
        thread.start()
        thread.join()

    steps = (Step("end", "End", StepScope.TENANT, end), step("next", scope))
    register_operation(OperationKind("toy.ended", "Ended", steps))
    operation_id = start(acme, "toy.ended")
    run_operation(operation_id)
    assert (get(operation_id).state, get(operation_id).error, effects(acme)) == ("failed", "elsewhere", [])


def test_a_step_in_a_home_needs_a_tenant(app: Portal) -> None:
    with platform_scope("test"):
        operation_id = start_operation(HOMELESS, tenant_id=None, payload={}, actor=ADA)
    run_jobs(may_fail=True)
    assert get(operation_id).error == "StateError: This operation's tenant is gone."


def test_an_operation_on_a_fenced_home_is_tried_again(acme: TenantRoute) -> None:
    operation_id = start(acme)
    set_home(acme.tenant_id, state="fenced")
    run_jobs(may_fail=True)
    assert [step.state for step in steps_of(operation_id)] == ["done", "done", "failed", *["pending"] * 3]
    assert [row.state for row in job_rows()] == ["pending"]


def test_events_say_what_was_asked_for(acme: TenantRoute) -> None:
    start(acme)
    run_jobs()
    asked = [event for event in rows_of(ControlAuditEvent) if event.target_kind == "operation"]
    assert actions_of(asked) == ["operation.started"]
