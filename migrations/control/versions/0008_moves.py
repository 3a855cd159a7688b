"""Moves of homes, and what a running step says of itself."""

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
"""


def upgrade() -> None:
    op.execute(TABLES)
    protect_control_table(op, "control.moves")


def downgrade() -> None:
    op.execute("drop table control.moves")
    op.execute("alter table control.operation_steps drop column detail")
