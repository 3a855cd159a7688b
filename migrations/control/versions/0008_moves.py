"""Moves of homes, clones of tenants, and what a running step says of itself."""

from alembic import op

from app.core.tenancy.ddl import protect_control_table

revision = "0008"
down_revision = "0007"

TABLES = """
create table control.moves (
    id uuid not null constraint pk_moves primary key,
    tenant_id uuid not null constraint fk_moves_tenant_id_tenants references control.tenants (id),
    state text not null constraint ck_moves_state check (state in ('running', 'kept', 'returning', 'finishing',
        'finished', 'returned', 'failed')),
    source jsonb not null,
    target jsonb not null,
    actor_label text not null,
    row_count bigint not null,
    byte_count bigint not null,
    key_count bigint not null,
    pause_milliseconds integer,
    error text,
    findings text,
    keep_until timestamptz,
    created_at timestamptz not null,
    finished_at timestamptz
);
create index ix_moves_tenant_id_created_at_id on control.moves (tenant_id, created_at, id);
create index ix_moves_created_at_id on control.moves (created_at, id);
create index ix_moves_keep_until on control.moves (keep_until) where state = 'kept';
create unique index uq_moves_tenant_id_open on control.moves (tenant_id)
    where state not in ('finished', 'returned', 'failed');
alter table control.operation_steps add column detail text;
alter table control.operations add column source_tenant_id uuid
    constraint fk_operations_source_tenant_id_tenants references control.tenants (id);
create index ix_operations_source_tenant_id_open on control.operations (source_tenant_id)
    where state in ('pending', 'running', 'compensating');
alter table control.tenants add column cloned_from_id uuid
        constraint fk_tenants_cloned_from_id_tenants references control.tenants (id),
    add column expires_on date,
    add column expiry_reminded_at timestamptz;
create index ix_tenants_cloned_from_id_created_at on control.tenants (cloned_from_id, created_at);
create index ix_tenants_clones_created_at_id on control.tenants (created_at, id) where cloned_from_id is not null;
create index ix_tenants_expires_on on control.tenants (expires_on) where expires_on is not null;
"""


def upgrade() -> None:
    op.execute(TABLES)
    protect_control_table(op, "control.moves")


def downgrade() -> None:
    op.execute("drop table control.moves")
    op.execute("alter table control.operation_steps drop column detail")
    op.execute("alter table control.operations drop column source_tenant_id")
    op.execute(
        "alter table control.tenants drop column cloned_from_id, drop column expires_on, drop column expiry_reminded_at"
    )
