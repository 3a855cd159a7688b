"""Homes in databases of their own: placements and context keys name a database beside its server."""

from alembic import op

from app.core.tenancy.ddl import publish_function, roles_of

revision = "0005"
down_revision = "0004"

TABLES = """
alter table control.placements add column database_name text not null default '';
alter table control.context_keys add column database_name text not null default '';
alter table control.context_keys drop constraint pk_context_keys;
alter table control.context_keys add constraint pk_context_keys primary key (server, database_name, version);
"""
TABLES_BEFORE = """
delete from control.context_keys where database_name <> '';
alter table control.context_keys drop constraint pk_context_keys;
alter table control.context_keys add constraint pk_context_keys primary key (server, version);
alter table control.context_keys drop column database_name;
alter table control.placements drop column database_name;
"""
ROUTE = """
returns table (tenant_id uuid, slug text, status text, server text, {column} tier text, schema_name text,
    epoch bigint, home_state text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select t.id, t.slug, t.status, p.server, {value} p.tier, p.schema_name, p.epoch, h.state
    from control.tenants t
    left join control.placements p on p.tenant_id = t.id
    left join tenancy.homes h on h.tenant_id = t.id
    where {condition}
$$
"""
RESOLVERS = {
    "tenancy.resolve_host(text)": ("tenancy.resolve_host(name text)", "t.slug = resolve_host.name"),
    "tenancy.resolve_tenant(uuid)": ("tenancy.resolve_tenant(tenant uuid)", "t.id = tenant"),
}


def upgrade() -> None:
    op.execute(TABLES)
    _create_resolvers(column="database_name text,", value="p.database_name,")


def downgrade() -> None:
    op.execute(TABLES_BEFORE)
    _create_resolvers(column="", value="")


def _create_resolvers(*, column: str, value: str) -> None:
    for signature, (head, condition) in RESOLVERS.items():
        op.execute(f"drop function {signature}")  # What it returns changes, which no replacement may.
        op.execute(f"create function {head}" + ROUTE.format(condition=condition, column=column, value=value))
        publish_function(op, signature, roles_of(op).platform)
