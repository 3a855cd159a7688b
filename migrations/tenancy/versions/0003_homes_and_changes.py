"""The version of each home in a database, and the keys that a tenant's writers change while its home is copied."""

from alembic import op

from app.core.tenancy.ddl import publish_function

revision = "0003"
down_revision = "0002"

TABLES = """
create table tenancy.home_versions (
    schema_name text not null constraint pk_home_versions primary key,
    version text not null,
    migrated_at timestamptz not null default clock_timestamp()
);
create table tenancy.changed_keys (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    schema_name text not null,
    table_name text not null,
    row_id uuid not null,
    constraint pk_changed_keys primary key (tenant_id, id)
);
"""
# Fired only for the tenant whose home is copied; the trigger's condition names it, so other tenants pay nothing.
NOTE_CHANGED_KEY = """
create function tenancy.note_changed_key() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op <> 'INSERT' then
        insert into tenancy.changed_keys (tenant_id, schema_name, table_name, row_id)
            values (old.tenant_id, tg_table_schema, tg_table_name, old.id);
    end if;
    if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.id <> old.id) then
        insert into tenancy.changed_keys (tenant_id, schema_name, table_name, row_id)
            values (new.tenant_id, tg_table_schema, tg_table_name, new.id);
    end if;
    return null;
end $$
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(NOTE_CHANGED_KEY)
    publish_function(op, "tenancy.note_changed_key()")  # A trigger needs no grant to anybody.


def downgrade() -> None:
    op.execute("drop function tenancy.note_changed_key()")
    op.execute("drop table tenancy.changed_keys, tenancy.home_versions")
