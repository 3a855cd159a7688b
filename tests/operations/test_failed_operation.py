"""An operation that fails can be tried again or taken back, and ends once either way."""

from __future__ import annotations

import pytest

from app.audit.models import ControlAuditEvent
from app.core.errors import ConflictError, NotFoundError, StateError
from app.core.ids import new_id
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.operations.kinds import StepInput
from app.operations.services import compensate_operation, retry_operation
from app.web.hosts import Portal
from tests.factories import actions_of, rows_of
from tests.operations.toys import (
    ADA,
    HOMELESS,
    SCOPES,
    break_at,
    effects,
    fail,
    get,
    start,
    steps_of,
    use_up_attempts,
)
from tests.tenant_rows import owner_connection
from tests.work import make_jobs_due, run_jobs

ALL = list(SCOPES)


def retry(operation_id: object) -> None:
    with platform_scope("test"):
        retry_operation(operation_id, actor=ADA)


def take_back(operation_id: object) -> None:
    with platform_scope("test"):
        compensate_operation(operation_id, actor=ADA)


def test_a_step_that_breaks_shows_its_error_and_is_tried_again(acme: TenantRoute) -> None:
    operation_id = start(acme)
    break_at("fill")
    run_jobs(may_fail=True)
    assert (get(operation_id).state, get(operation_id).error) == ("running", "RuntimeError: fill broke")
    assert [step.state for step in steps_of(operation_id)] == ["done", "done", "failed", *["pending"] * 3]
    break_at()
    make_jobs_due()
    run_jobs()
    assert (get(operation_id).state, get(operation_id).error, effects(acme)) == ("done", None, ALL)


@pytest.mark.parametrize("broken", ALL)
def test_without_attempts_left_it_has_failed_and_its_hook_runs_once(acme: TenantRoute, broken: str) -> None:
    operation_id = fail(acme, broken)
    assert (get(operation_id).state, get(operation_id).error) == ("failed", f"RuntimeError: {broken} broke")
    assert effects(acme) == [*ALL[: ALL.index(broken)], "failed"]


def test_failed_retried_failed_retried_done(acme: TenantRoute) -> None:
    operation_id = fail(acme, "seal")
    break_at("seal")
    retry(operation_id)
    use_up_attempts()
    assert get(operation_id).state == "failed"
    break_at()
    retry(operation_id)
    run_jobs()
    assert (get(operation_id).state, get(operation_id).done_count, get(operation_id).attempt) == ("done", 6, 3)
    assert effects(acme) == ["first", "home", "fill", "failed", "retried", "failed", "retried", "seal", "annex", "last"]


def test_taking_back_undoes_what_was_done_in_reverse_order(acme: TenantRoute) -> None:
    operation_id = fail(acme, "last")
    take_back(operation_id)
    run_jobs()
    assert effects(acme)[6:] == ["undo annex", "undo fill", "undo home", "undo first", "compensated"]
    assert (get(operation_id).state, get(operation_id).done_count) == ("compensated", 0)
    assert [step.state for step in steps_of(operation_id)] == ["compensated"] * 6


def test_a_step_that_was_never_begun_is_not_undone(acme: TenantRoute) -> None:
    operation_id = fail(acme, "home")
    take_back(operation_id)
    run_jobs()
    assert effects(acme) == ["first", "failed", "undo first", "compensated"]


def test_a_step_whose_effect_committed_but_was_never_shown_is_undone(acme: TenantRoute) -> None:
    operation_id = fail(acme, "last")
    with owner_connection() as connection:
        connection.execute("update control.operation_steps set state = 'running' where name = 'fill'")
    take_back(operation_id)
    run_jobs()
    assert effects(acme)[6:] == ["undo annex", "undo fill", "undo home", "undo first", "compensated"]


def test_a_taking_back_that_fails_can_only_go_on_taking_back(acme: TenantRoute) -> None:
    operation_id = fail(acme, "last")
    break_at("undo home")
    take_back(operation_id)
    use_up_attempts()
    assert get(operation_id).state == "failed"
    with pytest.raises(StateError, match="taken back already"):
        take_back(operation_id)
    break_at()
    retry(operation_id)
    run_jobs()
    assert get(operation_id).state == "compensated"
    assert effects(acme)[6:] == ["undo annex", "undo fill", "undo home", "undo first", "compensated"]


def test_a_tenant_without_a_home_can_be_taken_back(app: Portal, acme: TenantRoute) -> None:
    operation_id = fail(acme, "fill", kind=HOMELESS)
    with owner_connection() as connection:
        connection.execute("delete from tenancy.homes")
    take_back(operation_id)
    run_jobs()
    assert get(operation_id).state == "compensated"


@pytest.mark.parametrize("act", [retry, take_back])
def test_only_what_has_failed_is_retried_or_taken_back(acme: TenantRoute, act: object) -> None:
    operation_id = start(acme)
    with pytest.raises(StateError):
        act(operation_id)
    run_jobs()
    with pytest.raises(StateError):
        act(operation_id)
    with pytest.raises(NotFoundError):
        act(new_id())


@pytest.mark.parametrize("act", [retry, take_back])
def test_a_failed_operation_waits_for_another_of_its_tenant(acme: TenantRoute, act: object) -> None:
    operation_id = fail(acme, "fill")
    start(acme)
    with pytest.raises(ConflictError):
        act(operation_id)
    assert get(operation_id).state == "failed"


def test_retrying_and_taking_back_are_events(acme: TenantRoute) -> None:
    operation_id = fail(acme, "fill")
    break_at("fill")
    retry(operation_id)
    use_up_attempts()
    break_at()
    take_back(operation_id)
    asked = [event for event in rows_of(ControlAuditEvent) if event.target_kind == "operation"]
    assert actions_of(asked) == ["operation.started", "operation.retried", "operation.compensated"]


def test_a_step_that_needs_a_tenant_says_so_of_an_operation_without_one() -> None:
    with pytest.raises(StateError, match="This operation is of no tenant"):
        StepInput(new_id(), None, {}).get_tenant_id()
