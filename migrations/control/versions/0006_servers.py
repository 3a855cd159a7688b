"""Database servers on which homes lie, a plan's tier, and the summary of jobs in other databases than the main one."""

from alembic import op

from app.core.tenancy.ddl import protect_control_table

revision = "0006"
down_revision = "0005"

TABLES = """
create table control.servers (
    id uuid not null constraint pk_servers primary key,
    name text collate "C" not null constraint uq_servers_name unique
        constraint ck_servers_name check (name ~ '^[a-z][a-z0-9-]{0,30}$'),
    region text not null,
    capacity integer not null constraint ck_servers_capacity check (capacity > 0),
    storage_bytes bigint constraint ck_servers_storage_bytes check (storage_bytes > 0),
    accepts_homes boolean not null,
    state text not null constraint ck_servers_state check (state in ('preparing', 'ready', 'failed')),
    error text,
    created_at timestamptz not null,
    measured_at timestamptz,
    is_reachable boolean,
    latency_seconds double precision,
    version text,
    size_bytes bigint,
    connection_count integer,
    connection_limit integer
);
create index ix_placements_server_tenant_id on control.placements (server, tenant_id);
create table control.job_index (
    tenant_id uuid not null,
    id uuid not null,
    server text not null,
    database_name text not null,
    kind text not null,
    queue text not null,
    state text not null,
    attempt integer not null,
    run_at timestamptz not null,
    lease_until timestamptz,
    error text,
    request_id text,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    as_of timestamptz not null,
    constraint pk_job_index primary key (tenant_id, id)
);
create index ix_job_index_id on control.job_index (id);
create index ix_job_index_due on control.job_index (run_at) where state in ('pending', 'queued', 'running');
create index ix_job_index_failed on control.job_index (id) where state = 'failed';
create index ix_job_index_server_database_name on control.job_index (server, database_name);
alter table control.plans add column tier text not null default 'pool'
    constraint ck_plans_tier check (tier in ('pool', 'schema', 'database'));
update control.plans set tier = 'database' where key = 'enterprise';
"""
# The server that holds this control plane is one of them from the start.
MAIN = """
insert into control.servers (id, name, region, capacity, accepts_homes, state, created_at)
values (gen_random_uuid(), 'main', 'eu-central', 100000, true, 'ready', now())
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(MAIN)
    protect_control_table(op, "control.servers")
    protect_control_table(op, "control.job_index")


def downgrade() -> None:
    op.execute("alter table control.plans drop column tier; drop index control.ix_placements_server_tenant_id")
    op.execute("drop table control.job_index, control.servers")
