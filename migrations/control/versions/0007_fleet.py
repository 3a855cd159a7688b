"""The fleet of homes: each one's version, what it should consist of, how it differs, and the runs that migrate them."""

from alembic import op

from app.core.tenancy.ddl import protect_control_table, publish_function, roles_of

revision = "0007"
down_revision = "0006"

# The version that routing reads is a copy: the truth is tenancy.home_versions in each home's own database.
TABLES = """
create table control.home_versions (
    server text not null,
    database_name text not null,
    schema_name text not null,
    tier text not null,
    version text not null,
    tenancy_version text not null,
    migrated_at timestamptz not null,
    constraint pk_home_versions primary key (server, database_name, schema_name)
);
create table control.home_templates (
    version text not null constraint pk_home_templates primary key,
    parts jsonb not null
);
create table control.home_checks (
    server text not null,
    database_name text not null,
    schema_name text not null,
    version text not null,
    differences jsonb not null,
    error text,
    checked_at timestamptz not null,
    constraint pk_home_checks primary key (server, database_name, schema_name)
);
create table control.fleet_runs (
    id uuid not null constraint pk_fleet_runs primary key,
    operation_id uuid not null constraint fk_fleet_runs_operation_id references control.operations (id),
    state text not null constraint ck_fleet_runs_state check (state in ('running', 'paused', 'stopped', 'done')),
    to_version text not null,
    max_failure_ratio double precision not null,
    actor_label text not null,
    created_at timestamptz not null,
    judged_from timestamptz not null,
    finished_at timestamptz
);
create index ix_fleet_runs_created_at_id on control.fleet_runs (created_at, id);
create unique index uq_fleet_runs_open on control.fleet_runs ((true)) where state in ('running', 'paused');
create table control.fleet_run_homes (
    run_id uuid not null constraint fk_fleet_run_homes_run_id references control.fleet_runs (id),
    server text not null,
    database_name text not null,
    schema_name text not null,
    ring integer not null,
    place integer not null,
    from_version text not null,
    to_version text not null,
    state text not null constraint ck_fleet_run_homes_state check (state in ('pending', 'done', 'failed')),
    error text,
    seconds double precision,
    finished_at timestamptz,
    constraint pk_fleet_run_homes primary key (run_id, server, database_name, schema_name)
);
create index ix_fleet_run_homes_run_id_state_ring_place on control.fleet_run_homes (run_id, state, ring, place);
create table control.ready_homes (
    id uuid not null constraint pk_ready_homes primary key,
    server text not null,
    tier text not null constraint ck_ready_homes_tier check (tier in ('schema', 'database')),
    version text not null,
    ready_at timestamptz
);
create index ix_ready_homes_server_tier_id on control.ready_homes (server, tier, id);
"""
READY = """
alter table control.servers
    add column ready_schema_count integer not null default 0
        constraint ck_servers_ready_schema_count check (ready_schema_count >= 0),
    add column ready_database_count integer not null default 0
        constraint ck_servers_ready_database_count check (ready_database_count >= 0)
"""
NAMES = ("home_versions", "home_templates", "home_checks", "fleet_runs", "fleet_run_homes", "ready_homes")
# Once a statement, not once a row: a run writes hundreds of versions with one.
WATCH = """
create trigger bump_registry_version after insert or update or delete on control.home_versions
for each statement execute function tenancy.bump_registry_version()
"""
ROUTE = """
returns table (tenant_id uuid, slug text, status text, server text, database_name text, tier text, schema_name text,
    epoch bigint, home_state text{column})
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select t.id, t.slug, t.status, p.server, p.database_name, p.tier, p.schema_name, p.epoch, h.state{value}
    from control.tenants t
    left join control.placements p on p.tenant_id = t.id
    left join tenancy.homes h on h.tenant_id = t.id
    {join}
    where {condition}
$$
"""
JOIN = """
    left join control.home_versions v on v.server = p.server and v.database_name = p.database_name
        and v.schema_name = p.schema_name
"""
RESOLVERS = {
    "tenancy.resolve_host(text)": ("tenancy.resolve_host(name text)", "t.slug = resolve_host.name"),
    "tenancy.resolve_tenant(uuid)": ("tenancy.resolve_tenant(tenant uuid)", "t.id = tenant"),
}


def upgrade() -> None:
    op.execute(TABLES)
    for name in NAMES:
        protect_control_table(op, f"control.{name}")
    op.execute(READY)
    op.execute(WATCH)
    _create_resolvers(column=", home_version text", value=", v.version", join=JOIN)


def downgrade() -> None:
    _create_resolvers(column="", value="", join="")
    op.execute("alter table control.servers drop column ready_schema_count, drop column ready_database_count")
    op.execute(f"drop table {', '.join(f'control.{name}' for name in reversed(NAMES))}")


def _create_resolvers(*, column: str, value: str, join: str) -> None:
    for signature, (head, condition) in RESOLVERS.items():
        op.execute(f"drop function {signature}")  # What it returns changes, which no replacement may.
        body = ROUTE.format(condition=condition, column=column, value=value, join=join)
        op.execute(f"create function {head}{body}")
        publish_function(op, signature, roles_of(op).platform)
