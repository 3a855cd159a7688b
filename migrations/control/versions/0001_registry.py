"""The registry: tenants, slugs, placements, plans, facts, the version that processes poll, wrapped context keys."""

from alembic import op

from app.core.tenancy.ddl import protect_control_table, publish_function, roles_of, share_reference_table

revision = "0001"
down_revision = None

TABLES = """
create table control.registry_version (
    only_row boolean constraint pk_registry_version primary key default true check (only_row),
    version bigint not null
);
insert into control.registry_version (version) values (1);
create table control.context_keys (
    server text not null,
    version integer not null,
    wrapped bytea not null,
    created_at timestamptz not null default now(),
    constraint pk_context_keys primary key (server, version)
);
create table control.plans (
    id uuid not null constraint pk_plans primary key,
    key text not null constraint uq_plans_key unique,
    name text not null,
    price_label text not null,
    summary text not null,
    position integer not null,
    region text not null,
    time_zone text not null,
    currency text not null,
    limits jsonb not null
);
create table control.tenants (
    id uuid not null constraint pk_tenants primary key,
    slug text not null constraint uq_tenants_slug unique,
    name text not null,
    name_search text not null,
    status text not null,
    status_reason text,
    activity text not null,
    plan_id uuid not null constraint fk_tenants_plan_id_plans references control.plans (id),
    region text not null,
    time_zone text not null,
    locale text not null,
    currency text not null,
    owner_name text not null,
    owner_email text not null,
    submission_key text constraint uq_tenants_submission_key unique,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint ck_tenants_status check (status in ('requested', 'provisioning', 'active', 'past_due', 'suspended',
        'archived', 'failed', 'deleting', 'deleted')),
    constraint ck_tenants_activity check (activity in ('none', 'moving', 'restoring', 'migrating'))
);
create index ix_tenants_created_at_id on control.tenants (created_at, id);
create index ix_tenants_name_search_id on control.tenants (name_search, id);
create index ix_tenants_status_created_at on control.tenants (status, created_at);
create index ix_tenants_plan_id_created_at on control.tenants (plan_id, created_at);
create index ix_tenants_region_created_at on control.tenants (region, created_at);
create index ix_tenants_owner_email on control.tenants (owner_email);
create table control.tenant_slugs (
    slug text not null constraint pk_tenant_slugs primary key,
    skeleton text not null constraint uq_tenant_slugs_skeleton unique,
    tenant_id uuid not null constraint fk_tenant_slugs_tenant_id_tenants references control.tenants (id),
    released_at timestamptz
);
create index ix_tenant_slugs_tenant_id on control.tenant_slugs (tenant_id);
create table control.placements (
    tenant_id uuid not null constraint pk_placements primary key
        constraint fk_placements_tenant_id_tenants references control.tenants (id),
    server text not null,
    tier text not null constraint ck_placements_tier check (tier in ('pool', 'schema', 'database')),
    schema_name text not null,
    epoch integer not null
);
create table control.tenant_status_changes (
    id uuid not null constraint pk_tenant_status_changes primary key,
    tenant_id uuid not null constraint fk_tenant_status_changes_tenant_id_tenants references control.tenants (id),
    from_status text,
    to_status text not null,
    reason text,
    actor_label text not null,
    at timestamptz not null
);
create index ix_tenant_status_changes_tenant_id_at on control.tenant_status_changes (tenant_id, at);
create table control.tenant_facts (
    tenant_id uuid not null constraint fk_tenant_facts_tenant_id_tenants references control.tenants (id),
    key text not null,
    value jsonb not null,
    as_of timestamptz not null,
    constraint pk_tenant_facts primary key (tenant_id, key)
);
create function tenancy.bump_registry_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update control.registry_version set version = version + 1;
    return null;
end $$;
"""
WATCHED = ("tenants", "tenant_slugs", "placements", "context_keys")
ROUTE = """
returns table (tenant_id uuid, slug text, status text, server text, tier text, schema_name text, epoch bigint,
    home_state text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select t.id, t.slug, t.status, p.server, p.tier, p.schema_name, p.epoch, h.state
    from control.tenants t
    left join control.placements p on p.tenant_id = t.id
    left join tenancy.homes h on h.tenant_id = t.id
    where {condition}
$$
"""
# plpgsql, because the version tables come into being after this migration has run.
VERSIONS = """
create function tenancy.schema_versions() returns table (tree text, version text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query select 'tenancy', v.version_num::text from tenancy.alembic_version v
    union all select 'control', v.version_num::text from control.alembic_version v
    union all select 'tenant', v.version_num::text from pool.alembic_version v;
end $$
"""


def upgrade() -> None:
    roles = roles_of(op)
    op.execute(TABLES)
    for table in WATCHED:
        # Deferred to the commit, so that the one hot row is locked for a moment only.
        op.execute(
            f"create constraint trigger bump_registry_version after insert or update or delete on control.{table} "
            "deferrable initially deferred for each row execute function tenancy.bump_registry_version()"
        )
    _protect()
    op.execute("create function tenancy.resolve_host(name text)" + ROUTE.format(condition="t.slug = resolve_host.name"))
    op.execute("create function tenancy.resolve_tenant(tenant uuid)" + ROUTE.format(condition="t.id = tenant"))
    op.execute(VERSIONS)
    publish_function(op, "tenancy.bump_registry_version()")  # A trigger needs no grant to anybody.
    publish_function(op, "tenancy.schema_versions()", roles.platform)
    publish_function(op, "tenancy.resolve_host(text)", roles.platform)
    publish_function(op, "tenancy.resolve_tenant(uuid)", roles.platform)


def _protect() -> None:
    roles = roles_of(op)
    protect_control_table(op, "control.registry_version", platform="select")
    protect_control_table(op, "control.context_keys", platform="select")
    share_reference_table(op, "control.plans")
    protect_control_table(op, "control.tenants", tenant="select", tenant_key="id")
    # A tenant changes how it is called and shown; never its status, plan, slug or owner.
    op.execute(f"grant update (name, name_search, time_zone, locale, updated_at) on control.tenants to {roles.tenant}")
    protect_control_table(op, "control.tenant_slugs")
    protect_control_table(op, "control.placements")
    protect_control_table(op, "control.tenant_status_changes", platform="select, insert", tenant="select")
    protect_control_table(op, "control.tenant_facts", tenant="select, insert, update")


def downgrade() -> None:
    op.execute("drop function tenancy.schema_versions()")
    op.execute("drop function tenancy.resolve_host(text)")
    op.execute("drop function tenancy.resolve_tenant(uuid)")
    op.execute(
        "drop table control.tenant_facts, control.tenant_status_changes, control.placements, control.tenant_slugs, "
        "control.tenants, control.plans, control.context_keys, control.registry_version"
    )
    op.execute("drop function tenancy.bump_registry_version()")
