"""An operation of the tests' own: steps in every scope that write one audit event each, and break when told to."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.audit.models import ControlAuditEvent, HomeAuditEvent
from app.audit.services import Target, record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.jobs import MAX_ATTEMPTS
from app.core.redis import get_redis
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.operations import queries
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation
from app.operations.models import Operation, OperationStep
from app.operations.services import start_operation
from tests.factories import rows_of
from tests.tenant_rows import owner_connection
from tests.work import make_jobs_due, run_jobs

TOY = "toy.operation"
HOMELESS = "toy.homeless"
BREAKS = "toy:breaks"
ADA = Actor.system("Ada")
SCOPES = {
    "first": StepScope.PLATFORM,
    "home": StepScope.OWNER,
    "fill": StepScope.TENANT,
    "seal": StepScope.OWNER,
    "annex": StepScope.SERVER,
    "last": StepScope.PLATFORM,
}
EXPIRE = "update control.outbox set lease_until = clock_timestamp() - interval '1 second' where state <> 'pending'"


def write(label: str, given: StepInput) -> None:
    """Write one event where the scope's changes are written, then break if told to."""
    target = Target("toy", given.operation_id, label)
    record_event(AuditAction.SETTINGS_UPDATED, target=target, actor=ADA, tenant_id=given.tenant_id)
    if get_redis().sismember(BREAKS, label):
        raise RuntimeError(f"{label} broke")


def write_once(label: str, given: StepInput) -> None:
    """Write one event in a transaction of its own, unless an earlier run has: what a step on a server must do."""
    with platform_scope("step on a server"), transaction():
        written = select(ControlAuditEvent).where(
            ControlAuditEvent.target_id == given.operation_id, ControlAuditEvent.target_label == label
        )
        if db.session.scalar(written) is None:
            write(label, given)


def step(name: str, scope: StepScope) -> Step:
    """Make a step and its compensation."""
    act = write_once if scope is StepScope.SERVER else write
    return Step(
        name,
        f"Do {name}",
        scope,
        lambda given: act(name, given),
        None if name == "seal" else lambda given: act(f"undo {name}", given),
    )


def note(label: str) -> object:
    """Make a hook that writes an event of its own."""
    return lambda given, *_more: write(label, given)


register_operation(
    OperationKind(
        TOY,
        "Toy",
        tuple(step(name, scope) for name, scope in SCOPES.items()),
        on_failed=note("failed"),
        on_retried=note("retried"),
        on_compensated=note("compensated"),
    )
)
register_operation(OperationKind(HOMELESS, "Toy without a home", (step("fill", StepScope.TENANT),)))


def start(route: TenantRoute, kind: str = TOY) -> UUID:
    """Start the toy for a tenant."""
    with platform_scope("test"):
        return start_operation(kind, tenant_id=route.tenant_id, payload={}, actor=ADA)


def break_at(*labels: str) -> None:
    """Let the named effects break, and no others."""
    get_redis().delete(BREAKS)
    if labels:
        get_redis().sadd(BREAKS, *labels)


def use_up_attempts() -> None:
    """Run the jobs that wait as if it were for the last time."""
    with owner_connection() as connection:
        connection.execute("update control.outbox set attempt = %s where state = 'pending'", (MAX_ATTEMPTS - 1,))
    make_jobs_due()
    run_jobs(may_fail=True)


def fail(route: TenantRoute, *labels: str, kind: str = TOY) -> UUID:
    """Start a toy and let it fail for good."""
    operation_id = start(route, kind)
    break_at(*labels)
    use_up_attempts()
    break_at()
    return operation_id


def effects(route: TenantRoute) -> list[str]:
    """Return what has committed for a tenant, in order."""
    rows = [row for row in rows_of(ControlAuditEvent) if row.tenant_id == route.tenant_id]
    rows += rows_of(HomeAuditEvent, route)
    mine = sorted((row for row in rows if row.target_kind == "toy"), key=lambda row: (row.at, row.id))
    return [row.target_label for row in mine]


def get(operation_id: UUID) -> Operation:
    """Return the operation as it is."""
    with platform_scope("test"):
        return queries.get_operation(operation_id)


def steps_of(operation_id: UUID) -> list[OperationStep]:
    """Return the steps as they are."""
    with platform_scope("test"):
        return queries.list_steps(operation_id)


def expire_leases() -> None:
    """Let a dead worker's lease run out now."""
    with owner_connection() as connection:
        connection.execute(EXPIRE)
