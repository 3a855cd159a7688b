"""Probes of isolation with their signed reports, and canaries: tenants of the platform's own."""

from alembic import op

from app.core.tenancy.ddl import protect_control_table, publish_function, roles_of

revision = "0009"
down_revision = "0008"

TABLES = """
alter table control.tenants add column is_canary boolean not null default false;
create table control.isolation_probes (
    id uuid not null constraint pk_isolation_probes primary key,
    server text collate "C" not null,
    state text not null constraint ck_isolation_probes_state check (state in ('waiting', 'running', 'passed', 'failed',
        'incomplete')),
    actor_label text not null,
    done_count integer not null,
    total_count integer not null,
    failed_count integer not null,
    error text,
    document bytea,
    signature bytea,
    key_id text,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    constraint ck_isolation_probes_signed check ((document is null) = (signature is null)
        and (document is null) = (key_id is null) and (document is not null or state <> 'passed'))
);
create index ix_isolation_probes_created_at_id on control.isolation_probes (created_at, id);
create index ix_isolation_probes_server_created_at_id on control.isolation_probes (server, created_at, id);
create index ix_isolation_probes_state_created_at_id on control.isolation_probes (state, created_at, id);
create unique index uq_isolation_probes_open on control.isolation_probes (server)
    where state in ('waiting', 'running');
"""
# A tenant reads reports of the server on which its home lies now, and of no other.
OF_TENANT = """
create function tenancy.list_isolation_reports(most integer) returns table (id uuid, state text, document bytea,
    signature bytea, key_id text, started_at timestamptz, finished_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select i.id, i.state, i.document, i.signature, i.key_id, i.started_at, i.finished_at
    from control.placements p
    join control.isolation_probes i on i.server = p.server and i.document is not null
    where p.tenant_id = (select tenancy.current_tenant())
    order by i.created_at desc, i.id desc limit least(most, 100)
$$
"""


def upgrade() -> None:
    op.execute(TABLES)
    protect_control_table(op, "control.isolation_probes")
    op.execute(OF_TENANT)
    publish_function(op, "tenancy.list_isolation_reports(integer)", roles_of(op).tenant)


def downgrade() -> None:
    op.execute("drop function tenancy.list_isolation_reports(integer)")
    op.execute("drop table control.isolation_probes")
    op.execute("alter table control.tenants drop column is_canary")
