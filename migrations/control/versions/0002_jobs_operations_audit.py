"""The platform's outbox, schedules, operations with their steps, and the control plane's audit events."""

from alembic import op

from app.core.tenancy.ddl import protect_control_table, publish_function, roles_of
from migrations.job_functions import DISPATCH_BODY, DISPATCH_RETURNS

revision = "0002"
down_revision = "0001"

# Prefixes of the search columns of audit events are found by ^@, which compares bytes as collation C does.
TABLES = """
create table control.outbox (
    id uuid not null constraint pk_outbox primary key,
    tenant_id uuid,
    kind text not null,
    queue text not null,
    payload jsonb not null,
    key text,
    state text not null default 'pending'
        constraint ck_outbox_state check (state in ('pending', 'queued', 'running', 'done', 'failed')),
    token integer not null default 0,
    attempt integer not null default 0,
    run_at timestamptz not null,
    lease_until timestamptz,
    done_count integer,
    total_count integer,
    result jsonb,
    error text,
    request_id text,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    constraint uq_outbox_kind_key unique (kind, key)
);
create index ix_outbox_due on control.outbox (run_at) where state in ('pending', 'queued', 'running');
create index ix_outbox_failed on control.outbox (id) where state = 'failed';
create index ix_outbox_tenant_id_id on control.outbox (tenant_id, id) where tenant_id is not null;
create table control.schedule_ticks (
    schedule text not null,
    tick_at timestamptz not null,
    constraint pk_schedule_ticks primary key (schedule, tick_at)
);
create table control.operations (
    id uuid not null constraint pk_operations primary key,
    tenant_id uuid constraint fk_operations_tenant_id_tenants references control.tenants (id),
    kind text not null,
    state text not null constraint ck_operations_state check (state in ('pending', 'running', 'done', 'failed',
        'compensating', 'compensated')),
    payload jsonb not null,
    actor_label text not null,
    attempt integer not null default 0,
    takes_back boolean not null default false,
    done_count integer not null default 0,
    total_count integer not null,
    error text,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz
);
create index ix_operations_created_at_id on control.operations (created_at, id);
create index ix_operations_tenant_id_created_at_id on control.operations (tenant_id, created_at, id);
create index ix_operations_state_created_at_id on control.operations (state, created_at, id);
create index ix_operations_kind_created_at_id on control.operations (kind, created_at, id);
create unique index uq_operations_tenant_id_open on control.operations (tenant_id)
    where state in ('pending', 'running', 'compensating');
create table control.operation_steps (
    operation_id uuid not null constraint fk_operation_steps_operation_id_operations references control.operations (id),
    name text not null,
    position integer not null,
    title text not null,
    state text not null constraint ck_operation_steps_state check (state in ('pending', 'running', 'done', 'failed',
        'compensated')),
    error text,
    started_at timestamptz,
    finished_at timestamptz,
    constraint pk_operation_steps primary key (operation_id, name)
);
create table control.audit_events (
    id uuid not null constraint pk_audit_events primary key,
    tenant_id uuid,
    at timestamptz not null,
    actor_kind text not null,
    actor_id uuid,
    actor_label text not null,
    actor_search text collate "C" not null,
    address text,
    action text not null,
    target_kind text not null,
    target_id uuid,
    target_label text not null,
    target_search text collate "C" not null,
    changes jsonb not null,
    reason text,
    request_id text
);
create index ix_audit_events_at_id on control.audit_events (at, id);
create index ix_audit_events_tenant_id_at_id on control.audit_events (tenant_id, at, id);
create index ix_audit_events_action_at_id_tenant_id on control.audit_events (action, at, id, tenant_id);
create index ix_audit_events_target_id_at_id_tenant_id on control.audit_events (target_id, at, id, tenant_id);
create index ix_audit_events_target_search_tenant_id on control.audit_events (target_search, tenant_id);
create index ix_audit_events_actor_search_tenant_id on control.audit_events (actor_search, tenant_id);
create index ix_audit_events_request_id_tenant_id on control.audit_events (request_id, tenant_id);
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(
        "create function control.dispatch_jobs(most integer, most_per_tenant integer, lease_seconds integer) "
        f"{DISPATCH_RETURNS} language sql volatile as $$ {DISPATCH_BODY.format(outbox='control.outbox')} $$"
    )
    publish_function(op, "control.dispatch_jobs(integer, integer, integer)", roles_of(op).platform)
    protect_control_table(op, "control.outbox")
    protect_control_table(op, "control.schedule_ticks", platform="select, insert, delete")
    protect_control_table(op, "control.operations", tenant="select")
    protect_control_table(op, "control.operation_steps")
    # Append-only: nobody is granted UPDATE or DELETE. A tenant adds events of its own and reads them.
    protect_control_table(op, "control.audit_events", platform="select, insert", tenant="select, insert")


def downgrade() -> None:
    op.execute("drop function control.dispatch_jobs(integer, integer, integer)")
    op.execute(
        "drop table control.audit_events, control.operation_steps, control.operations, control.schedule_ticks, "
        "control.outbox"
    )
