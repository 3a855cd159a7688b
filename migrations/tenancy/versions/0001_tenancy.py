"""The context function, homes, keys, the tenants' outbox and the markers of operations."""

from alembic import op

from app.core.tenancy.ddl import protect_control_table, publish_function, roles_of

revision = "0001"
down_revision = None

TABLES = """
create table tenancy.context_keys (
    version integer primary key,
    inner_block bytea not null check (octet_length(inner_block) = 64),
    outer_block bytea not null check (octet_length(outer_block) = 64),
    created_at timestamptz not null default now()
);
create table tenancy.homes (
    tenant_id uuid primary key,
    epoch bigint not null check (epoch > 0),
    state text not null check (state in ('active', 'fenced', 'purged'))
);
create table tenancy.outbox (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null,
    queue text not null,
    payload jsonb not null,
    key text,
    state text not null default 'pending'
        constraint state check (state in ('pending', 'queued', 'running', 'done', 'failed')),
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
    constraint pk_outbox primary key (tenant_id, id),
    constraint uq_outbox_tenant_id_kind_key unique (tenant_id, kind, key)
);
create index ix_outbox_due on tenancy.outbox (run_at) where state in ('pending', 'queued', 'running');
create index ix_outbox_tenant_id_created_at on tenancy.outbox (tenant_id, created_at);
create table tenancy.operation_markers (
    tenant_id uuid not null,
    operation_id uuid not null,
    step text not null,
    done_at timestamptz not null default now(),
    constraint pk_operation_markers primary key (tenant_id, operation_id, step)
);
"""

# The definer's name is the owner's, so session_user differs for every runtime login.
CURRENT_TENANT = """
create function tenancy.current_tenant() returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    raw text := current_setting('tenantry.context', true);
    message text := left(raw, -65);
    parts text[];
    seconds_left numeric;
    home record;
begin
    if raw is null or raw = '' then
        raise exception 'no tenant context' using errcode = 'TN001';
    end if;
    -- Genuine is what equals, to the last character, the text that we would have written for this message. So nothing
    -- that a stranger wrote is ever decoded or cast. Texts are compared by their hashes, so that the time which that
    -- takes tells nothing of the expected one.
    if length(raw) > 133 or not exists (
        select from tenancy.context_keys k
        where sha256(convert_to(raw, 'UTF8')) = sha256(convert_to(message || '.' || encode(sha256(
            k.outer_block || sha256(k.inner_block || convert_to(message, 'UTF8'))), 'hex'), 'UTF8')))
    then
        raise exception 'forged tenant context' using errcode = 'TN002';
    end if;
    parts := string_to_array(message, '.');
    -- Numbers that no home and no clock has; they would not fit the casts, whose error would show them.
    if length(parts[2]) > 18 or length(parts[3]) > 12 then
        raise exception 'forged tenant context' using errcode = 'TN002';
    end if;
    seconds_left := parts[3]::bigint - extract(epoch from transaction_timestamp());
    if seconds_left not between 0 and 300 then
        raise exception 'expired tenant context' using errcode = 'TN003';
    end if;
    select epoch, state into home from tenancy.homes where tenant_id = parts[1]::uuid;
    if not found or home.state = 'purged' then
        raise exception 'this home was purged' using errcode = 'TN006';
    end if;
    if home.epoch <> parts[2]::bigint then
        raise exception 'stale epoch' using errcode = 'TN004';
    end if;
    if home.state = 'fenced' and session_user <> current_user then
        raise exception 'this home is fenced' using errcode = 'TN005';
    end if;
    return parts[1]::uuid;
end $$
"""


def upgrade() -> None:
    roles = roles_of(op)
    op.execute(TABLES)
    op.execute(CURRENT_TENANT)
    publish_function(op, "tenancy.current_tenant()", roles.tenant, roles.owner)
    protect_control_table(op, "tenancy.outbox", platform="", tenant="select, insert, update")
    protect_control_table(op, "tenancy.operation_markers", platform="", tenant="select, insert")


def downgrade() -> None:
    op.execute("drop table tenancy.operation_markers, tenancy.outbox")
    op.execute("drop function tenancy.current_tenant()")
    op.execute("drop table tenancy.homes, tenancy.context_keys")
