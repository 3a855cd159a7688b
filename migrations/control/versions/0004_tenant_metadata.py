"""Tags, key-values and notes of tenants, saved views of lists, and the status machine that the database enforces."""

from alembic import op

from app.core.tenancy.ddl import protect_control_table, publish_function

revision = "0004"
down_revision = "0003"

TABLES = """
create table control.tenant_tags (
    tenant_id uuid not null constraint fk_tenant_tags_tenant_id_tenants references control.tenants (id),
    tag text not null,
    constraint pk_tenant_tags primary key (tenant_id, tag)
);
create index ix_tenant_tags_tag_tenant_id on control.tenant_tags (tag, tenant_id);
create table control.tenant_metadata (
    tenant_id uuid not null constraint fk_tenant_metadata_tenant_id_tenants references control.tenants (id),
    key text not null,
    value text not null,
    constraint pk_tenant_metadata primary key (tenant_id, key)
);
create table control.tenant_notes (
    id uuid not null constraint pk_tenant_notes primary key,
    tenant_id uuid not null constraint fk_tenant_notes_tenant_id_tenants references control.tenants (id),
    text text not null,
    author_label text not null,
    created_at timestamptz not null,
    removed_at timestamptz
);
create index ix_tenant_notes_tenant_id_created_at on control.tenant_notes (tenant_id, created_at);
create table control.saved_views (
    id uuid not null constraint pk_saved_views primary key,
    staff_user_id uuid not null constraint fk_saved_views_staff_user_id references control.staff_users (id)
        on delete cascade,
    list text not null,
    name text not null,
    query text not null,
    created_at timestamptz not null,
    constraint uq_saved_views_staff_user_id_list_name unique (staff_user_id, list, name)
);
create table control.tenant_status_transitions (
    from_status text not null,
    to_status text not null,
    constraint pk_tenant_status_transitions primary key (from_status, to_status)
);
"""
# Literal, so that a change of the code's table needs a migration that says so; a test holds the two together.
TRANSITIONS = """
insert into control.tenant_status_transitions (from_status, to_status) values
    ('requested', 'provisioning'), ('requested', 'deleted'),
    ('provisioning', 'active'), ('provisioning', 'failed'),
    ('failed', 'provisioning'), ('failed', 'deleting'),
    ('active', 'past_due'), ('active', 'suspended'), ('active', 'archived'),
    ('past_due', 'active'), ('past_due', 'suspended'), ('past_due', 'archived'),
    ('suspended', 'active'), ('suspended', 'archived'),
    ('archived', 'active'), ('archived', 'past_due'), ('archived', 'deleting'),
    ('deleting', 'deleted')
"""
# A definer, so that it judges by the whole table whoever changes a status.
CHECK_STATUS = """
create function tenancy.check_tenant_status() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (
        select from control.tenant_status_transitions t where t.from_status = old.status and t.to_status = new.status
    ) then
        raise exception 'a tenant that is % cannot become %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger check_tenant_status before update of status on control.tenants
    for each row when (old.status is distinct from new.status) execute function tenancy.check_tenant_status();
"""
# Bytes compare the same on every server, and only so does an index serve both order and prefix search.
SEARCHABLE = """
alter table control.tenants alter column slug type text collate "C", alter column name_search type text collate "C"
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(TRANSITIONS)
    op.execute(CHECK_STATUS)
    op.execute(SEARCHABLE)
    publish_function(op, "tenancy.check_tenant_status()")  # A trigger needs no grant to anybody.
    for table in ("control.tenant_tags", "control.tenant_metadata", "control.tenant_notes", "control.saved_views"):
        protect_control_table(op, table)
    protect_control_table(op, "control.tenant_status_transitions", platform="select")


def downgrade() -> None:
    op.execute("drop trigger check_tenant_status on control.tenants")
    op.execute("drop function tenancy.check_tenant_status()")
    op.execute(
        "alter table control.tenants alter column slug type text, alter column name_search type text;"
        "drop table control.tenant_status_transitions, control.saved_views, control.tenant_notes, "
        "control.tenant_metadata, control.tenant_tags"
    )
