"""Keys of tenants and of the platform, wrapped: key-encryption keys under a root key, data keys under those."""

from alembic import op

from app.core.tenancy.ddl import protect_control_table

revision = "0010"
down_revision = "0009"

# The owner of a key is a tenant, or nobody for the platform: two nulls are the same owner.
TABLES = """
create table control.key_encryption_keys (
    id uuid not null constraint pk_key_encryption_keys primary key,
    tenant_id uuid constraint fk_key_encryption_keys_tenant_id_tenants references control.tenants (id),
    version integer not null constraint ck_key_encryption_keys_version check (version > 0),
    state text not null constraint ck_key_encryption_keys_state check (state in ('active', 'compromised',
        'decrypt-only', 'destroyed', 'pre-active', 'retired')),
    root_key text not null,
    wrapped bytea,
    created_at timestamptz not null,
    state_changed_at timestamptz not null,
    constraint uq_key_encryption_keys_tenant_id_version unique nulls not distinct (tenant_id, version),
    constraint ck_key_encryption_keys_destroyed check ((wrapped is null) = (state = 'destroyed'))
);
create unique index uq_key_encryption_keys_active on control.key_encryption_keys (tenant_id) nulls not distinct
    where state = 'active';
create index ix_key_encryption_keys_root_key_id on control.key_encryption_keys (root_key, id);
create table control.data_keys (
    id uuid not null constraint pk_data_keys primary key,
    tenant_id uuid constraint fk_data_keys_tenant_id_tenants references control.tenants (id),
    purpose text not null constraint ck_data_keys_purpose check (purpose in ('audit', 'backups', 'blind-index',
        'fields', 'files')),
    version integer not null constraint ck_data_keys_version check (version > 0),
    state text not null constraint ck_data_keys_state check (state in ('active', 'compromised', 'decrypt-only',
        'destroyed', 'pre-active', 'retired')),
    kek_version integer not null,
    wrapped bytea,
    reserved_uses bigint not null default 0,
    created_at timestamptz not null,
    state_changed_at timestamptz not null,
    constraint uq_data_keys_tenant_id_purpose_version unique nulls not distinct (tenant_id, purpose, version),
    constraint ck_data_keys_destroyed check ((wrapped is null) = (state = 'destroyed')),
    constraint ck_data_keys_reserved_uses check (reserved_uses between 0 and 4294967296)
);
create unique index uq_data_keys_active on control.data_keys (tenant_id, purpose) nulls not distinct
    where state = 'active';
"""
# A tenant may know how its keys stand; what they are wrapped into is nothing that it needs.
KEK_COLUMNS = "id, tenant_id, version, state, created_at, state_changed_at"
DATA_KEY_COLUMNS = "id, tenant_id, purpose, version, state, kek_version, reserved_uses, created_at, state_changed_at"


def upgrade() -> None:
    op.execute(TABLES)
    for table, columns in (("key_encryption_keys", KEK_COLUMNS), ("data_keys", DATA_KEY_COLUMNS)):
        protect_control_table(op, f"control.{table}", platform="select, insert, update", tenant=f"select ({columns})")


def downgrade() -> None:
    op.execute("drop table control.data_keys, control.key_encryption_keys")
